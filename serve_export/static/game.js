// The game: some rounds of a word each, a countdown, points.
//
//   intro → card → round → result → card → … → end

import { Countdown } from "./countdown.js";
import { recall, remember } from "./memory.js";
import { ask, judge, named, say, sumUp } from "./talk.js";
import { chooseWords, readAddress } from "./words.js";

const ENOUGH = 0.5;
/** How likely the word must be, as the first guess, to win before time is up. */

const LEAST = 2;
/** Seconds of drawing before a win: a line is soon guessed, and then the fun is over. */

const CHEER = 2600;
const RECENT = 30;
/** Words of late that are not asked for again so soon. */

export const POINTS = { won: 100, asFastAsLight: 100, near: 40, tried: 10 };

export class Game {
  #parts;
  #classes = [];
  #options = null;
  #words = [];
  #works = [];
  #guesses = [];
  #drew = null; // when the drawing was begun
  #screen = "intro";
  #clock;

  /** @param parts {board, ink, live, bot, brain, screens, end} */
  constructor(parts) {
    this.#parts = parts;
    const { screens } = parts;
    this.#clock = new Countdown(
      (left) => {
        screens.showTime(left, this.#options.seconds);
        if (this.#guessed) this.#finish(false);
      },
      () => this.#finish(false),
    );
    screens.on({
      start: () => this.#start(),
      otherWord: () => this.#swap(),
      go: () => this.#go(),
      skip: () => this.#finish(true),
      next: () => this.#next(),
      again: () => this.#start(),
    });
    document.addEventListener("visibilitychange", () => this.watch());
  }

  /** The words that the model knows: a game can begin. */
  set classes(classes) {
    this.#classes = classes;
    this.#options = readAddress(location.search, classes);
    this.#parts.screens.ready(this.#options);
  }

  enter() {
    this.#show("intro");
    this.#parts.screens.showBest(recall("best", 0));
    this.#parts.bot.calm("idle");
    this.#parts.bot.say("Hello! Shall we play? You draw, I guess.");
  }

  leave() {
    this.#clock.stop();
    this.#screen = "intro";
  }

  /** Lets the clock run only while somebody looks, and somebody can guess. */
  watch() {
    if (this.#screen !== "round") return;
    if (document.hidden || !this.#parts.brain.able) this.#clock.pause();
    else this.#clock.resume();
  }

  /** Blot has guessed. */
  show(guesses) {
    if (this.#screen !== "round" || !guesses.length) return;
    this.#guesses = guesses;
    if (this.#guessed) {
      this.#finish(false);
      return;
    }
    const [{ word, probability }] = guesses;
    const close = word === this.#word;
    const idea = `Ooh, I have an idea… could it be ${named(word)}?`;
    this.#parts.bot.mood = close || probability < 0.5 ? "thinking" : "watching";
    this.#parts.bot.mention(close ? idea : say(guesses));
  }

  /** Whether it knows the word now, and has seen enough of the drawing. */
  get #guessed() {
    const { ink } = this.#parts;
    const [first] = this.#guesses;
    if (ink.empty || first?.word !== this.#word) return false;
    return first.probability >= ENOUGH && Date.now() - this.#drew >= 1000 * LEAST;
  }

  /** The pen has drawn. */
  drawn() {
    this.#drew ??= Date.now();
  }

  /** Something was taken away: what was guessed of it is no longer so. */
  taken() {
    this.#guesses = [];
  }

  get #word() {
    return this.#words[this.#works.length];
  }

  #show(screen) {
    this.#screen = screen;
    this.#parts.board.enabled = screen === "round";
    this.#parts.screens.show(screen);
  }

  #start() {
    const { rounds, words } = this.#options;
    const recent = recall("recent", []);
    // Some more than rounds, for those who want another word.
    const drawn = chooseWords(this.#classes, 2 * rounds, new Set(recent));
    this.#words = [...words, ...drawn.filter((word) => !words.includes(word)), ...drawn];
    this.#works = [];
    this.#parts.screens.showTray(this.#works, rounds);
    this.#parts.screens.prefetch(this.#words.slice(0, rounds), this.#classes);
    this.#card();
  }

  #card() {
    const { screens, bot, board } = this.#parts;
    board.clear();
    this.#show("card");
    screens.showCard(this.#works.length + 1, this.#options, this.#word, this.#classes);
    bot.calm("idle");
    bot.lookUp();
    bot.say(ask(this.#word));
  }

  /** Another word instead; the one that was not wanted goes to the end. */
  #swap() {
    const place = this.#works.length;
    this.#words.push(...this.#words.splice(place, 1));
    this.#card();
  }

  #go() {
    const { screens, bot } = this.#parts;
    this.#guesses = [];
    this.#drew = null;
    this.#show("round");
    screens.showRound(this.#word);
    bot.calm("watching");
    bot.say("I am all eyes!");
    this.#clock.start(this.#options.seconds);
    this.watch();
  }

  #finish(skipped) {
    if (this.#screen !== "round") return;
    const { ink, live, bot, screens } = this.#parts;
    const left = this.#clock.left / this.#options.seconds;
    this.#clock.stop();
    live.stop();
    const word = this.#word;
    const place = this.#guesses.findIndex((guess) => guess.word === word);
    const won = place === 0 && !skipped;
    const near = place >= 0 && !won;
    let points = 0;
    if (won) points = POINTS.won + Math.round(POINTS.asFastAsLight * left);
    else if (near) points = POINTS.near;
    else if (!ink.empty) points = POINTS.tried;
    const work = { word, drawing: ink.toDrawing(), guesses: this.#guesses, won, points };
    this.#works.push({ ...work, recognized: won });
    this.#show("result");
    const verdict = judge({ ...work, skipped, near });
    screens.showResult(verdict, work, this.#works.length === this.#options.rounds);
    screens.showTray(this.#works, this.#options.rounds);
    bot.say(won ? `${verdict.title} Hooray!` : `${verdict.title} ${verdict.text}`);
    if (won) bot.cheer(CHEER);
    else bot.calm(near ? "thinking" : "sad");
  }

  #next() {
    if (this.#works.length < this.#options.rounds) this.#card();
    else this.#end();
  }

  #end() {
    const { bot, end } = this.#parts;
    const total = this.#works.reduce((sum, work) => sum + work.points, 0);
    const won = this.#works.filter((work) => work.won).length;
    const best = recall("best", 0);
    remember("best", Math.max(total, best));
    const met = this.#works.map((work) => work.word);
    remember("recent", [...met, ...recall("recent", [])].slice(0, RECENT));
    this.#show("end");
    end.show(this.#works, total, best);
    bot.say(sumUp(won, this.#works.length));
    bot.calm("idle");
    bot.lookUp();
    if (won) bot.cheer(CHEER);
  }
}

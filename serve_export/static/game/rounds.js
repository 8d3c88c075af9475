// The rounds of a game: a word each, a countdown, points.
//
//   intro → card → round → result → card → … → end

import { commentGame, commentRound, tellGuesses } from "../character/phrases.js";
import { text, wordValues } from "../languages/language.js";
import { load, store } from "../settings/storage.js";
import { Countdown } from "./countdown.js";
import { readGameOptions } from "./options.js";
import { chooseWords, isStillLearning } from "./word_choice.js";

/** Probability that the word needs, as the first guess, to win before time is up. */
const WIN_PROBABILITY = 0.5;

/** Shortest time of drawing before a win, in seconds; a few lines are no fun. */
const MIN_DRAWING_TIME = 2;

const POINTS = { won: 100, maxSpeedBonus: 100, close: 40, tried: 10 };

/** Milliseconds for which the bot cheers. */
const CHEER_TIME = 2600;

/** Number of recent words that are not chosen again. */
const RECENT_WORDS = 30;

/**
 * @typedef {object} RoundResult
 * @property {string} word
 * @property {number[][][]} drawing
 * @property {import("../guesses/guess_source.js").Guess[]} guesses the last ones
 * @property {boolean} isWon whether the word was the first guess
 * @property {boolean} recognized the same, under its name in ndjson
 * @property {number} points
 */

/**
 * @typedef {object} GameState what is saved to continue a game after a reload
 * @property {"card" | "round" | "result" | "end"} screen
 * @property {number} rounds
 * @property {number} seconds of each round
 * @property {string[]} words of all rounds, followed by spare ones
 * @property {RoundResult[]} results of the rounds so far
 * @property {string} query of the address, with the options of the game
 * @property {number} bestBefore most points of all games before
 * @property {number} remaining seconds left in the round
 * @property {?object} drawing of the round, see `Drawing.save`
 */

export class Game {
  #parts;
  #classes = new Map();
  #options = null;
  /** @type {?GameState} */
  #state = null;
  #screen = "intro";
  #guesses = [];
  #drawingSince = null;
  #countdown;

  /**
   * @param {object} parts board, drawing, liveGuesses, bot, guessSource, examples,
   *   screens, end
   */
  constructor(parts) {
    this.#parts = parts;
    const { screens } = parts;
    this.#countdown = new Countdown(
      (remaining) => {
        screens.showTime(remaining, this.#state.seconds);
        if (this.#isGuessed) this.#finishRound();
      },
      () => this.#finishRound(),
    );
    screens.connect({
      resume: () => this.#resume(),
      start: () => this.#start(),
      changeWord: () => this.#changeWord(),
      go: () => this.#startRound(),
      skip: () => this.#finishRound({ isSkipped: true }),
      next: () => this.#startNextRound(),
    });
    document.addEventListener("visibilitychange", () => {
      this.updateCountdown();
      this.#save();
    });
    window.addEventListener("pagehide", () => this.#save());
  }

  /** Sets the classes that the model knows; from now on a game can start. */
  set classes(classes) {
    this.#classes = new Map(classes.map((each) => [each.word, each]));
    this.#options = readGameOptions(location.search, [...this.#classes.keys()]);
    this.#parts.screens.setReady(this.#options);
  }

  /** Shows the introduction, or the end of the last game if the address is the same. */
  enter() {
    this.#state = load("game", null);
    if (this.#state?.screen === "end") {
      if (this.#state.query === location.search) {
        this.#showEnd();
        return;
      }
      this.#state = null;
    }
    const { bot, drawing, screens } = this.#parts;
    drawing.reset();
    this.#setScreen("intro");
    screens.showIntro(load("best", 0), this.#state);
    bot.setMood("idle");
    bot.say(text("game_hello"));
  }

  /** Leaves the game; it can be continued later. */
  leave() {
    this.#save();
    this.#countdown.stop();
    this.#screen = "intro";
  }

  /** Lets time pass only while the page is visible and guesses can be made. */
  updateCountdown() {
    if (this.#screen !== "round") return;
    if (document.hidden || !this.#parts.guessSource.isAvailable)
      this.#countdown.pause();
    else this.#countdown.resume();
  }

  onGuesses(guesses) {
    if (this.#screen !== "round") return;
    this.#guesses = guesses;
    if (this.#isGuessed) {
      this.#finishRound();
      return;
    }
    const { bot } = this.#parts;
    const [{ word, probability }] = guesses;
    const isWord = word === this.#word;
    bot.mood = isWord || probability < 0.5 ? "thinking" : "watching";
    const idea = text("guess_idea", wordValues(word));
    bot.mention(isWord ? idea : tellGuesses(guesses));
  }

  onExtend() {
    this.#drawingSince ??= Date.now();
  }

  onReplace() {
    this.#guesses = [];
  }

  onLift() {
    this.#save();
  }

  get #word() {
    return this.#state.words[this.#state.results.length];
  }

  get #round() {
    const { rounds, seconds, results } = this.#state;
    const word = this.#word;
    return {
      word,
      number: results.length + 1,
      rounds,
      seconds,
      isStillLearning: isStillLearning(this.#classes.get(word)),
    };
  }

  /** Whether the bot has guessed the word, after it has seen enough of the drawing. */
  get #isGuessed() {
    const [first] = this.#guesses;
    if (this.#parts.drawing.isEmpty || first?.word !== this.#word) return false;
    const drawingTime = Date.now() - this.#drawingSince;
    return (
      first.probability >= WIN_PROBABILITY && drawingTime >= 1000 * MIN_DRAWING_TIME
    );
  }

  #setScreen(screen) {
    this.#screen = screen;
    this.#parts.board.enabled = screen === "round";
    if (screen === "intro") return;
    this.#state.screen = screen;
    this.#save();
  }

  #save() {
    if (this.#screen === "intro") return;
    const { drawing } = this.#parts;
    const isRound = this.#screen === "round";
    this.#state.remaining = isRound ? this.#countdown.remaining : 0;
    this.#state.drawing = isRound && !drawing.isEmpty ? drawing.save() : null;
    store("game", this.#state);
  }

  #start() {
    const { rounds, seconds, words } = this.#options;
    const recent = new Set(load("recent", []));
    // Twice as many as needed, for visitors who ask for another word.
    const chosen = chooseWords([...this.#classes.values()], 2 * rounds, recent);
    const spare = chosen.filter((word) => !words.includes(word));
    this.#state = {
      rounds,
      seconds,
      words: [...words, ...spare, ...chosen],
      results: [],
      query: location.search,
      bestBefore: load("best", 0),
    };
    this.#parts.screens.showTray([], rounds);
    this.#parts.examples.prefetch(this.#state.words.slice(0, rounds));
    this.#showCard();
  }

  #resume() {
    const { screen, drawing, remaining, results, rounds } = this.#state;
    this.#parts.screens.showTray(results, rounds);
    if (screen === "result") {
      this.#startNextRound();
      return;
    }
    this.#showCard();
    if (screen !== "round") return;
    if (drawing) this.#parts.drawing.restore(drawing);
    this.#startRound(remaining || this.#state.seconds);
    this.#parts.board.show(this.#parts.drawing);
    if (drawing) this.onExtend();
  }

  #showCard() {
    const { screens, bot, board, drawing } = this.#parts;
    drawing.reset();
    board.show(drawing);
    screens.showCard(this.#round);
    this.#setScreen("card");
    bot.setMood("idle");
    bot.lookAhead();
    bot.say(text("can_you_draw", wordValues(this.#word)));
  }

  /** Replaces the word by the next one and moves it to the end. */
  #changeWord() {
    const { words, results } = this.#state;
    words.push(...words.splice(results.length, 1));
    this.#showCard();
  }

  #startRound(seconds = this.#state.seconds) {
    const { screens, bot } = this.#parts;
    this.#guesses = [];
    this.#drawingSince = null;
    screens.showRound(this.#round);
    this.#countdown.start(seconds);
    this.#setScreen("round");
    bot.setMood("watching");
    bot.say(text("round_start"));
    this.updateCountdown();
  }

  #finishRound({ isSkipped = false } = {}) {
    if (this.#screen !== "round") return;
    const { drawing, liveGuesses, bot, screens } = this.#parts;
    const timeShare = this.#countdown.remaining / this.#state.seconds;
    this.#countdown.stop();
    liveGuesses.stop();
    const word = this.#word;
    const rank = this.#guesses.findIndex((guess) => guess.word === word);
    const isWon = rank === 0 && !isSkipped;
    const isClose = rank >= 0 && !isWon;
    let points = 0;
    if (isWon) points = POINTS.won + Math.round(POINTS.maxSpeedBonus * timeShare);
    else if (isClose) points = POINTS.close;
    else if (!drawing.isEmpty) points = POINTS.tried;
    const result = {
      word,
      drawing: drawing.copyStrokes(),
      guesses: this.#guesses,
      isWon,
      recognized: isWon,
      points,
    };
    const { results, rounds } = this.#state;
    results.push(result);
    this.#setScreen("result");
    const comment = commentRound({ ...result, isClose, isSkipped });
    screens.showResult(comment, result, results.length === rounds);
    screens.showTray(results, rounds);
    bot.say(
      isWon ? `${comment.title} ${text("hooray")}` : `${comment.title} ${comment.text}`,
    );
    if (isWon) bot.cheer(CHEER_TIME);
    else bot.setMood(isClose ? "thinking" : "sad");
  }

  #startNextRound() {
    if (this.#state.results.length < this.#state.rounds) this.#showCard();
    else this.#finishGame();
  }

  #finishGame() {
    const { results, bestBefore } = this.#state;
    store("best", Math.max(totalPoints(results), bestBefore));
    const words = results.map((result) => result.word);
    store("recent", [...words, ...load("recent", [])].slice(0, RECENT_WORDS));
    this.#showEnd();
    if (results.some((result) => result.isWon)) this.#parts.bot.cheer(CHEER_TIME);
  }

  #showEnd() {
    const { bot, end, screens } = this.#parts;
    const { results, bestBefore } = this.#state;
    screens.show("end");
    this.#setScreen("end");
    end.show(results, totalPoints(results), bestBefore);
    bot.setMood("idle");
    bot.lookAhead();
    const won = results.filter((result) => result.isWon).length;
    bot.say(commentGame(won, results.length));
  }
}

function totalPoints(results) {
  return results.reduce((sum, result) => sum + result.points, 0);
}

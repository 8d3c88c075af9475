// Puts the page together. Its address says where one is: #draw or #game.

import { setUpBanner } from "./banner.js";
import { Bars } from "./bars.js";
import { Bot } from "./bot.js";
import { Brain } from "./brain.js";
import { DrawingBoard } from "./drawing_board.js";
import { EndScreen } from "./end_screen.js";
import { FreeDrawing } from "./free_drawing.js";
import { Game } from "./game.js";
import { GameScreens } from "./game_screens.js";
import { Ink } from "./ink.js";
import { Keeping } from "./keeping.js";
import { LiveGuesses } from "./live_guesses.js";
import { askJson } from "./server.js";
import { setUpSettings, showAbout } from "./settings.js";

const byId = (id) => document.getElementById(id);

const inks = { draw: new Ink(), game: new Ink() };
const brain = new Brain();
const keeping = new Keeping(brain);
const bot = new Bot(byId("bot"), byId("says"));
const board = new DrawingBoard(byId("canvas"), inks.draw);
const live = new LiveGuesses({
  guess: (drawing, topK) => brain.guess(drawing, topK),
  snapshot: () => inks[mode].toGuess(),
  told: (guesses, error) => tell(guesses, error),
});
const free = new FreeDrawing({ ink: inks.draw, bars: new Bars(byId("bars")), bot, keeping });
const screens = new GameScreens(brain);
const end = new EndScreen(keeping);
const game = new Game({ board, ink: inks.game, live, bot, brain, screens, end });
const modes = { draw: free, game };

let mode = null;

function tell(guesses, error) {
  if (error) bot.mention(`Oh, I cannot guess that one: ${error.message}.`);
  else modes[mode].show(guesses);
}

function enter() {
  const wanted = location.hash === "#game" ? "game" : "draw";
  if (wanted === mode) return;
  if (mode === "game") game.leave();
  live.stop();
  mode = wanted;
  document.body.dataset.mode = document.body.dataset.screen = mode;
  for (const link of document.querySelectorAll(".modes a")) {
    if (link.hash === `#${mode}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  board.enabled = mode === "draw";
  board.use(inks[mode]);
  modes[mode].enter();
}

function nodOff() {
  if (brain.local) return;
  bot.calm("asleep");
  bot.say("I nodded off… Draw on, I will look when I am awake again!");
  game.watch();
}

function wakeUp() {
  bot.calm("watching");
  bot.say("I am back! Let me look…");
  game.watch();
  live.replaced();
}

board.addEventListener("ink", () => {
  if (brain.able) bot.mood = "watching";
  live.grown();
  modes[mode].drawn();
});
board.addEventListener("taken", () => {
  live.replaced();
  modes[mode].taken();
});
board.addEventListener("pen", ({ detail }) => bot.look(detail));
brain.addEventListener("away", nodOff);
brain.addEventListener("back", wakeUp);
byId("undo").addEventListener("click", () => board.undo());
byId("clear").addEventListener("click", () => board.clear());
window.addEventListener("hashchange", enter);
window.addEventListener("keydown", (event) => {
  const back = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
  const writing = ["draw", "round"].includes(document.body.dataset.screen);
  if (!back || event.shiftKey || !writing || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  board.undo();
});
setUpBanner(brain);
setUpSettings({ brain, keeping, changed: () => live.replaced() });
enter();

const { classes } = await brain.reachAtLast(() => askJson("v1/classes"));
game.classes = classes;
free.words = classes.map(({ word }) => word);
const about = await brain.reachAtLast(() => askJson("v1/about"));
showAbout(about);
keeping.offered = about.keeps_drawings;
free.drawn();

// The page: creates its parts and connects them. The address says which of the two
// modes is shown, #draw or #game.

import { Bot } from "./character/bot.js";
import { Voice } from "./character/voice.js";
import { DrawingBoard } from "./drawing/board.js";
import { Drawing } from "./drawing/drawing.js";
import { FreeDrawing } from "./drawing/free_drawing.js";
import { EndScreen } from "./game/end_screen.js";
import { ExampleDrawings } from "./game/example_drawings.js";
import { Game } from "./game/rounds.js";
import { GameScreens } from "./game/screens.js";
import { GuessBars } from "./guesses/guess_bars.js";
import { GuessSource } from "./guesses/guess_source.js";
import { LiveGuesses } from "./guesses/live_guesses.js";
import { installOfflineSupport } from "./install/offline_support.js";
import { language, text, translatePage } from "./languages/language.js";
import { Connection } from "./server/connection.js";
import { ConnectionBanner } from "./server/connection_banner.js";
import { Donations } from "./server/donations.js";
import { requestJson } from "./server/requests.js";
import { SettingsDialog } from "./settings/settings_dialog.js";

const byId = (id) => document.getElementById(id);

translatePage();

const drawings = { draw: new Drawing(), game: new Drawing() };
const connection = new Connection();
const banner = new ConnectionBanner(connection);
const guessSource = new GuessSource(connection);
const donations = new Donations(connection);
const examples = new ExampleDrawings(connection);
const voice = new Voice(language.code);
const bot = new Bot(byId("bot"), byId("bot-text"), voice);
const board = new DrawingBoard(byId("canvas"), drawings.draw);
const liveGuesses = new LiveGuesses({
  guess: (strokes, topK) => guessSource.guess(strokes, topK),
  getStrokes: () => drawings[mode].strokesToGuess(),
  onGuesses: (guesses) => modes[mode].onGuesses(guesses),
  onError: (error) => bot.mention(text("cannot_guess", { reason: error.message })),
});
const bars = new GuessBars(byId("bars"));
const freeDrawing = new FreeDrawing({ drawing: drawings.draw, bars, bot, donations });
const screens = new GameScreens(examples);
const end = new EndScreen(donations);
const game = new Game({
  board,
  bot,
  drawing: drawings.game,
  end,
  examples,
  guessSource,
  liveGuesses,
  screens,
});
const settings = new SettingsDialog({
  guessSource,
  donations,
  onGuesserChange: () => liveGuesses.restart(),
});
const modes = { draw: freeDrawing, game };

let mode = null;

function enterMode() {
  const newMode = location.hash === "#game" ? "game" : "draw";
  if (newMode === mode) return;
  if (mode) modes[mode].leave();
  liveGuesses.stop();
  mode = newMode;
  document.body.dataset.mode = mode;
  for (const link of document.querySelectorAll(".modes a")) {
    if (link.hash === `#${mode}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  board.enabled = mode === "draw";
  modes[mode].enter();
  board.show(drawings[mode]);
}

async function handleLostConnection() {
  game.updateCountdown();
  if (guessSource.hasWebModel) await guessSource.loadOnDevice().catch(() => {});
  if (!connection.isLost) return;
  if (guessSource.isOnDevice) {
    banner.showOnDevice();
    liveGuesses.restart();
  } else {
    banner.showLost();
    bot.setMood("asleep");
    bot.say(text("fell_asleep"));
  }
  game.updateCountdown();
}

function handleRestoredConnection() {
  banner.showRestored();
  bot.setMood("watching");
  bot.say(text("woke_up"));
  game.updateCountdown();
  liveGuesses.restart();
}

function setUpMuteButton() {
  byId("mute").hidden = !Voice.isSupported();
  byId("mute").setAttribute("aria-pressed", String(voice.isMuted));
  byId("mute").addEventListener("click", () => {
    voice.isMuted = !voice.isMuted;
    byId("mute").setAttribute("aria-pressed", String(voice.isMuted));
  });
}

function undoOnShortcut(event) {
  const isUndo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
  const canDraw = ["draw", "round"].includes(document.body.dataset.screen);
  const hasDialog = document.querySelector("dialog[open]") !== null;
  if (!isUndo || event.shiftKey || !canDraw || hasDialog) return;
  event.preventDefault();
  board.undo();
}

board.addEventListener("extend", () => {
  if (guessSource.isAvailable) bot.mood = "watching";
  liveGuesses.update();
  modes[mode].onExtend();
});
board.addEventListener("replace", () => {
  liveGuesses.restart();
  modes[mode].onReplace();
});
board.addEventListener("lift", () => modes[mode].onLift());
board.addEventListener("pointer", ({ detail }) => bot.lookAt(detail));
connection.addEventListener("lost", handleLostConnection);
connection.addEventListener("restored", handleRestoredConnection);
byId("undo").addEventListener("click", () => board.undo());
byId("clear").addEventListener("click", () => board.clear());
window.addEventListener("hashchange", enterMode);
window.addEventListener("keydown", undoOnShortcut);
setUpMuteButton();
enterMode();

const about = await connection.runUntilReached(() => requestJson("v1/about"));
guessSource.hasWebModel = about.guesses_on_device && GuessSource.isSupported();
donations.areAccepted = about.keeps_drawings;
settings.showAbout(about);
const { classes } = await connection.runUntilReached(() => requestJson("v1/classes"));
examples.classes = classes;
freeDrawing.words = classes.map(({ word }) => word);
game.classes = classes;
await installOfflineSupport(guessSource).catch(console.warn);

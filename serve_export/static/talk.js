// What Blot says.

const WITHOUT_ARTICLE = new Set([
  ...["asparagus", "bread", "broccoli", "camouflage", "grass", "lightning", "rain"],
  ...["toothpaste", "underwear", "yoga"],
  // More than one.
  ...["binoculars", "drums", "eyeglasses", "flip flops", "grapes", "headphones"],
  ...["matches", "pants", "peas", "pliers", "rollerskates", "scissors", "shorts"],
  ...["stairs", "stitches"],
]);

const THE_ONLY = new Set(["moon", "sun"]);

const SOUNDS_LIKE_A_VOWEL = /^(?!uni|use|eu|one\b|ukulele)[aeiou]|^(hour|honest)/i;

/** A word as it stands in a sentence: "an owl", "stairs", "the Eiffel Tower". */
export function named(word) {
  if (WITHOUT_ARTICLE.has(word)) return word;
  if (THE_ONLY.has(word)) return `the ${word}`;
  if (word.startsWith("The ")) return `the ${word.slice(4)}`;
  return `${SOUNDS_LIKE_A_VOWEL.test(word) ? "an" : "a"} ${word}`;
}

/** Words as a list of a sentence: "a cat, an owl and a bear". */
export function list(words, joint = "and") {
  const all = words.map(named);
  if (all.length < 2) return all.join("");
  return `${all.slice(0, -1).join(", ")} ${joint} ${all.at(-1)}`;
}

/** What it says to guesses, likeliest first; the surer, the firmer. */
export function say(guesses) {
  if (!guesses.length) return "I am all eyes!";
  const [first, second] = guesses;
  const one = named(first.word);
  // The same guess is said in the same way, or it would stammer.
  const pick = (...ways) => ways[first.word.length % ways.length];
  if (first.probability >= 0.85) return pick(`That’s ${one}!`, `I know: it’s ${one}!`);
  if (first.probability >= 0.5 || !second) {
    return pick(`I think it’s ${one}.`, `It looks like ${one} to me.`);
  }
  const other = named(second.word);
  if (first.probability >= 0.25) return `I see ${one}… or ${other}!`;
  return pick(`Hmm… ${one}? Or ${other}?`, `Could be ${one}… or ${other}. Go on!`);
}

/** How it asks for a word. */
export function ask(word) {
  return `Can you draw ${named(word)}?`;
}

/** What it says at the end of a round: {title, text}. */
export function judge({ word, won, points, guesses, skipped, near }) {
  const seen = list(guesses.slice(0, 2).map((guess) => guess.word));
  if (won) return { title: `It’s ${named(word)}!`, text: `${points} points for you` };
  if (!guesses.length) {
    return { title: skipped ? "On we go!" : "Time’s up!", text: "A blank page is art, too." };
  }
  return {
    title: skipped ? "On we go!" : "Time’s up!",
    text: near ? `So near! I saw ${seen}. ${points} points` : `I saw ${seen}. ${points} points`,
  };
}

/** What it says at the end of a game. */
export function sumUp(won, rounds) {
  if (won === rounds) return "You did it: I knew every single one!";
  if (won * 3 >= rounds * 2) return `${won} of ${rounds}! You draw so well.`;
  if (won > 0) return `I knew ${won} of ${rounds}. Once more?`;
  return "I need new glasses! They are lovely all the same.";
}

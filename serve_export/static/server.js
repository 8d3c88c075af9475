// Asks the server, and tells what kind of trouble there is.

const PATIENCE = 8000;
/** Milliseconds until an answer is given up. */

export const SITE = new URL("..", import.meta.url);
/** Where the page is, which may be below a path of a host. */

/** The server does not answer. */
export class Away extends Error {}

/** The server asks to come again in `seconds`. */
export class Busy extends Error {
  constructor(message, seconds) {
    super(message);
    this.seconds = seconds;
  }
}

/** The server says no, and why. */
export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * Sends a request below `base`.
 * @returns {Promise<Response>} an answer that is one
 * @throws {Away|Busy|Refused}
 */
export async function ask(path, { method, body, headers = {}, base = SITE } = {}) {
  const signal = AbortSignal.timeout(PATIENCE);
  const json = body === undefined ? undefined : JSON.stringify(body);
  const kind = json === undefined ? {} : { "content-type": "application/json" };
  let answer;
  try {
    answer = await fetch(new URL(path, base), {
      method: method ?? (json === undefined ? "GET" : "POST"),
      headers: { ...kind, ...headers },
      body: json,
      signal,
      credentials: "omit",
    });
  } catch (error) {
    throw new Away(error.message);
  }
  if (answer.ok) return answer;
  if ([502, 503, 504].includes(answer.status)) throw new Away(answer.statusText);
  const message = await reasonOf(answer);
  if (answer.status === 429 || answer.status >= 500) {
    throw new Busy(message, Number(answer.headers.get("retry-after")) || 1);
  }
  throw new Refused(message, answer.status);
}

/** Like `ask`, for an answer in JSON. */
export async function askJson(path, settings) {
  const answer = await ask(path, settings);
  try {
    return await answer.json();
  } catch (error) {
    throw new Away(error.message); // it went away while it spoke
  }
}

async function reasonOf(answer) {
  try {
    return (await answer.json()).error.message;
  } catch {
    return `${answer.status} ${answer.statusText}`;
  }
}

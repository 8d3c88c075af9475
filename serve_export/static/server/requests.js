// Sends HTTP requests to the server and classifies their failures.

/** Milliseconds until a request without a response is aborted. */
const TIMEOUT = 8000;

/** The URL of the page, which may be below a path of its host. */
export const SITE_URL = new URL("../..", import.meta.url);

/** The server does not respond. */
export class ServerUnreachable extends Error {}

/** The server asks the client to retry after `seconds`. */
export class ServerBusy extends Error {
  constructor(message, seconds) {
    super(message);
    this.seconds = seconds;
  }
}

/** The server rejected the request; the message is its reason. */
export class RequestRejected extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * Sends a request to a path below the site.
 * @returns {Promise<Response>} a response with a status of 2xx
 * @throws {ServerUnreachable|ServerBusy|RequestRejected}
 */
export async function request(path, { method, body, headers = {} } = {}) {
  const json = body === undefined ? undefined : JSON.stringify(body);
  const contentType = json === undefined ? {} : { "content-type": "application/json" };
  let response;
  try {
    response = await fetch(new URL(path, SITE_URL), {
      method: method ?? (json === undefined ? "GET" : "POST"),
      headers: { ...contentType, ...headers },
      body: json,
      signal: AbortSignal.timeout(TIMEOUT),
      credentials: "omit",
    });
  } catch (error) {
    throw new ServerUnreachable(error.message);
  }
  if (response.ok) return response;
  const { status } = response;
  const retryAfter = Number(response.headers.get("retry-after"));
  // A proxy in front of a stopped server sends 502 to 504 without Retry-After.
  if ([502, 503, 504].includes(status) && !retryAfter) {
    throw new ServerUnreachable(response.statusText);
  }
  const message = await readErrorMessage(response);
  if (status === 429 || status >= 500) throw new ServerBusy(message, retryAfter || 1);
  throw new RequestRejected(message, status);
}

/** Sends a request and parses the response as JSON. */
export async function requestJson(path, options) {
  const response = await request(path, options);
  try {
    return await response.json();
  } catch (error) {
    throw new ServerUnreachable(error.message); // the connection broke
  }
}

async function readErrorMessage(response) {
  try {
    return (await response.json()).error.message;
  } catch {
    return `${response.status} ${response.statusText}`;
  }
}

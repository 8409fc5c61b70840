// A stream that outlives its connection: who was cut off asks again for what came after the last event that it saw.
import { ApiError } from "./api.js";

const shortest = 500, longest = 8000, patience = 90_000; // milliseconds

/**
 * follow yields the events of a stream until one is `over`. `open(lastEventId)` asks for it, as `stream` of api.js does: the id is "" at
 * first. A connection that is cut is made again, after a while that grows; `cut(true)` is called then, and `cut(false)` when something
 * comes again. What the API refuses is thrown, and so is that nothing was to be had for a minute and a half.
 */
export async function* follow(open, { over, cut, signal, last = "" }) {
  for (let wait = shortest, lost = 0, began = false; ; wait = Math.min(2 * wait, longest)) {
    try {
      const { response, events } = await open(last);
      began = true;
      if (response.status === 204) return; // all of it was seen
      for await (const event of events) {
        if (lost) cut(false);
        lost = 0;
        wait = shortest;
        last = event.id || last;
        yield event;
        if (over(event)) return;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!began || !passes(error)) throw error;
    }
    signal.throwIfAborted();
    if (!lost) cut(true);
    lost ||= Date.now();
    if (Date.now() - lost > patience) throw new ApiError({ code: "connection_lost", message: "the connection was cut, and could not be made again", details: { hint: "look whether this machine is online, and go on from here" } });
    await pause(wait, signal);
  }
}

/** passes tells what may be over the next time from what the API has decided. Errors of a body that breaks off have no status. */
const passes = ({ status }) => !status || status >= 500;

/** pause waits, but not longer than until the machine is online again. */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}

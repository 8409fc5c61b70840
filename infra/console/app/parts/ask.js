// What a page asks for when it appears.
import { useEffect, useRef, useState } from "../ui.js";

/**
 * useAsk asks when the page appears, and again when one of `of` has changed or `again` is called: {data, error, busy, again}. What is
 * there stays until the answer comes. `ask` gets the signal to give to its requests: who leaves the page ends them.
 */
export function useAsk(ask, of = []) {
  const [state, setState] = useState({ busy: true });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const left = new AbortController();
    setState((before) => ({ ...before, busy: true }));
    ask(left.signal).then(
      (data) => left.signal.aborted || setState({ data, busy: false }),
      (error) => left.signal.aborted || setState({ error, busy: false }),
    );
    return () => left.abort();
  }, [...of, turn]);
  return { ...state, again: () => setTurn((n) => n + 1) };
}

/**
 * usePages is useAsk for a list that comes in pages: {rows, more, adding, ...}. `ask(signal, cursor)` answers {rows, next}; `more`, where there
 * is more, adds the next page, and `adding` tells that it is under way. One thing is asked for at a time: `more` ends an `again` that is
 * under way, and `again` a page.
 */
export function usePages(ask, of = []) {
  const [state, setState] = useState({ busy: true });
  const [turn, setTurn] = useState(0);
  const under = useRef(null);
  const key = JSON.stringify(of);
  const load = async (cursor) => {
    under.current?.abort();
    const { signal } = (under.current = new AbortController());
    setState((now) => ({ ...now, busy: true, adding: Boolean(cursor), ...(cursor && { error: undefined }) }));
    try {
      const { rows, next } = await ask(signal, cursor);
      if (!signal.aborted) setState((now) => ({ key, rows: cursor ? [...now.rows, ...rows] : rows, next, busy: false }));
    } catch (error) {
      if (!signal.aborted) setState((now) => (cursor ? { ...now, error, busy: false, adding: false } : { error, busy: false }));
    }
  };
  useEffect(() => {
    load("");
    return () => under.current.abort();
  }, [key, turn]);
  const { key: shown, rows, next, ...rest } = state;
  const more = next && shown === key ? () => load(next) : undefined; // of another list's page nobody knows what follows
  return { ...rest, rows, more, again: () => setTurn((n) => n + 1) };
}

/**
 * useEvery asks `again` for a list of usePages every so many milliseconds while it is `on`, but not while something is under way, and not
 * while nobody looks at the page. An effect ends after the next frame, and its interval may come before that: what holds is what was drawn
 * last.
 */
export function useEvery(on, ms, { busy, again }) {
  const now = Boolean(on && !busy);
  const holds = useRef(false);
  holds.current = now;
  useEffect(() => {
    if (!now) return undefined;
    const timer = setInterval(() => holds.current && !document.hidden && again(), ms);
    return () => clearInterval(timer);
  }, [now, ms]);
}

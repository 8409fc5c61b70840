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
 * usePages is useAsk for a list that comes in pages: {rows, more, ...}; `ask(signal, cursor)` answers {rows, next}, and `more`, where there
 * is more, adds the next page.
 */
export function usePages(ask, of = []) {
  const first = useAsk((signal) => ask(signal), of);
  const [added, setAdded] = useState({ rows: [] });
  useEffect(() => setAdded({ rows: [] }), [first.data]);
  const shown = useRef();
  shown.current = first.data;
  const next = added.rows.length ? added.next : first.data?.next;
  const more = async () => {
    const of = first.data;
    setAdded((before) => ({ ...before, busy: true, error: undefined }));
    try {
      const page = await ask(undefined, next);
      if (shown.current !== of) return; // it is another list by now
      setAdded((before) => ({ rows: [...before.rows, ...page.rows], next: page.next }));
    } catch (error) {
      if (shown.current === of) setAdded((before) => ({ ...before, busy: false, error }));
    }
  };
  return {
    ...first, rows: first.data && [...first.data.rows, ...added.rows], error: first.error ?? added.error, busy: first.busy || added.busy,
    more: next && !first.busy ? more : undefined,
  };
}

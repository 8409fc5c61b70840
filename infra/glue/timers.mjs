// Go has one timer at a time: the runtime asks for one timeout, for the earliest of
// all sleeps, tickers and deadlines. A JavaScript timer belongs to the I/O context
// that armed it and dies with it. So Go's timer has a host, a live task; when the host
// ends, the timer moves to the oldest waiting task, and every heartbeat looks for a
// timer that is overdue all the same.

const LATE = 2;   // ms by which Go's timer may be late, as Go rounds
const GRACE = 50; // ms a timer may be late before it counts as lost

export class Timers {
  constructor(inst) {
    this.inst = inst;
    this.pending = new Map(); // id -> timer
    this.next = 1;
    this.lost = 0;
    this.last = 0;
    this.wall = 0;     // the time of day in the running turn, once somebody has asked for it
    this.spare = null; // what the running turn has given up
  }

  /** now never goes back: Go's runtime stops when its clock does. In a turn it stands still, as all clocks do in production while
   *  code runs: Go asks some fifty times a request. */
  now() {
    return this.inst.depth > 0 ? this.last : this.tick();
  }

  /** tick reads the clock, at the beginning of a turn. */
  tick() {
    this.wall = 0;
    const n = performance.now();
    return n > this.last ? (this.last = n) : this.last;
  }

  /** today is the time of day in ms, which stands still in a turn as well. */
  today() {
    return this.wall || (this.wall = Date.now());
  }

  /** schedule takes over the timer that this turn has given up, if that is not too late: Go gives its timer up at the
   *  beginning of each turn and wants the same again at the end. One that is too early costs a turn. */
  schedule(ms) {
    const due = this.now() + ms, id = this.next++, old = this.spare;
    if (old && old.due <= due + LATE && !old.host.ended) {
      this.spare = null;
      old.id = id;
      this.pending.set(id, old);
      return id;
    }
    const t = { id, due, host: null, handle: 0 };
    this.pending.set(id, t);
    this.arm(t, this.inst.task);
    return id;
  }

  clear(id) {
    const t = this.pending.get(id);
    if (!t) return;
    this.pending.delete(id);
    if (!t.host) return;
    this.drop();
    this.spare = t;
  }

  /** drop ends the timer that nobody has taken over. */
  drop() {
    const t = this.spare;
    if (!t) return;
    this.spare = null;
    if (t.host === this.inst.task) clearTimeout(t.handle); // else it fires for nothing, in its own context
    t.host = null;
  }

  arm(t, task) {
    if (!task || task.ended) {
      t.host = null;
      this.rehost();
      return;
    }
    t.host = task;
    t.handle = setTimeout(() => {
      if (t.host !== task) return;
      t.host = null;
      this.inst.turn(task, nothing, "timer");
    }, Math.max(0, t.due - this.now()));
  }

  /** rehost gives timers without a host to the oldest waiting task, in that task's own context. */
  rehost() {
    for (const task of this.inst.tasks.values()) {
      if (task.waiting && !task.ended) {
        task.post(() => this.adopt(task));
        return;
      }
    }
  }

  adopt(task) {
    if (task.ended) return this.rehost();
    for (const t of this.pending.values()) {
      if (t.host === null || t.host.ended) this.arm(t, task);
    }
  }

  /** ended hands over what the task hosted, or was about to adopt. */
  ended(task) {
    let homeless = false;
    for (const t of this.pending.values()) {
      if (t.host === task) {
        clearTimeout(t.handle);
        t.host = null;
        homeless = true;
      }
      if (t.host === null && task.posted.length > 0) homeless = true;
    }
    if (homeless) this.rehost();
  }

  /** check runs with every heartbeat, in the context of the task. */
  check(task) {
    if (this.pending.size === 0) return;
    const now = this.now();
    for (const t of this.pending.values()) {
      if (t.due + GRACE >= now) continue;
      if (t.host) {
        t.host = null;
        this.lost++;
      }
    }
    this.adopt(task);
  }
}

const nothing = () => {};

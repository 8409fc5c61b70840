// A line between the browser and the platform that can be cut.
import { createServer, connect } from "node:net";

/** wire answers {url, cut, mend, close}: the platform at another port. Cut, every connection breaks off, and none is made until it is mended. */
export async function wire(to) {
  const { hostname, port } = new URL(to), sockets = new Set();
  let whole = true;
  const server = createServer((near) => {
    if (!whole) return near.destroy();
    const far = connect(port, hostname);
    for (const [socket, other] of [[near, far], [far, near]]) {
      sockets.add(socket);
      socket.on("close", () => { sockets.delete(socket); other.destroy(); }).on("error", () => {}); // it breaks off on purpose
      socket.pipe(other);
    }
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const cut = () => {
    whole = false;
    for (const socket of sockets) socket.destroy();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, cut, mend: () => (whole = true), close: () => { cut(); server.close(); } };
}

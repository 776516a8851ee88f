// Passes on TCP connections of a network namespace to a socket in the file system, which is the same for all of them.
import { connect, createServer } from "node:net";

const [address = "", port = "", path = ""] = process.argv.slice(2);

createServer((socket) => {
  const onward = connect(path);
  socket.pipe(onward).pipe(socket);
  socket.on("error", () => onward.destroy()).on("close", () => onward.destroy());
  onward.on("error", () => socket.destroy()).on("close", () => socket.destroy());
}).listen(Number(port), address, () => process.stdout.write("listening\n"));

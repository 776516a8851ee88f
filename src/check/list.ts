import type { Check } from "./check.ts";
import { account } from "./checks/account.ts";
import { addresses } from "./checks/addresses.ts";
import { clock } from "./checks/clock.ts";
import { configuration } from "./checks/configuration.ts";
import { data } from "./checks/data.ts";
import { engine } from "./checks/engine.ts";
import { ffmpeg } from "./checks/ffmpeg.ts";
import { homeserver } from "./checks/homeserver.ts";
import { ice } from "./checks/ice.ts";
import { instance } from "./checks/instance.ts";
import { media } from "./checks/media.ts";
import { ports } from "./checks/ports.ts";
import { rateLimit } from "./checks/rate-limit.ts";
import { rooms } from "./checks/rooms.ts";
import { stun } from "./checks/stun.ts";
import { turn } from "./checks/turn.ts";
import { ytdlp } from "./checks/ytdlp.ts";

/** Every check, in the order of the report: what others need comes first. */
export const CHECKS: readonly Check[] = [
  ...[configuration, homeserver, clock, account, instance, rateLimit, rooms],
  ...[ffmpeg, engine, media, ytdlp, data],
  ...[ports, addresses, stun, turn, ice],
];

/** docs/CHECK.md's table, as prettier would leave it. */
export function checksTable(): string {
  const rows = [["check", "✓ when"], ...CHECKS.map(({ id, about }) => [`\`${id}\``, about])];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[], fill: string): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0, fill)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head, " "), line(["", ""], "-"), ...body.map((row) => line(row, " "))].join("\n");
}

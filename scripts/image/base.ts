/**
 * A stand-in for the image that the Dockerfile starts from, made of packages alone, for machines that reach no image
 * registry: Debian by debootstrap, slimmed as Debian's own images are, with the Node and npm of their npm packages and
 * the user `node`. It adds this machine's certificates, since its registries may be reached through a mirror.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildah, execute, hasImage, root } from "./buildah.ts";

const NAME = "docker.io/library/node:24-bookworm-slim";
const NPM = "npm@11";
const minute = 60_000;
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";

const SOURCES = `Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

/** What Debian's slim images leave out, and what debootstrap leaves behind. */
const NOT_IN_SLIM = [
  ...[
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/groff",
    "usr/share/lintian",
  ],
  ...["var/cache/apt/archives", "var/lib/apt/lists", "var/log", "var/cache/debconf"],
];

/** Makes the base image unless it is there. Half a minute. */
export async function ensureBase(): Promise<void> {
  if (await hasImage(NAME)) return;
  const folder = mkdtempSync(join(tmpdir(), "voicebot-base-"));
  const rootfs = join(folder, "rootfs");
  try {
    await execute(
      "debootstrap",
      ["--variant=minbase", "--include=ca-certificates", "bookworm", rootfs],
      10 * minute,
    );
    slim(rootfs);
    await addNode(rootfs, folder);
    if (existsSync(CERTIFICATES)) cpSync(CERTIFICATES, join(rootfs, CERTIFICATES));
    await execute("chroot", [rootfs, "/usr/sbin/groupadd", "--gid", "1000", "node"], minute);
    const user = ["--uid", "1000", "--gid", "node", "--shell", "/bin/bash", "--create-home", "node"];
    await execute("chroot", [rootfs, "/usr/sbin/useradd", ...user], minute);
    await commit(rootfs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function slim(rootfs: string): void {
  for (const name of NOT_IN_SLIM) {
    const path = join(rootfs, name);
    for (const entry of existsSync(path) ? readdirSync(path) : []) {
      rmSync(join(path, entry), { recursive: true, force: true });
    }
  }
  mkdirSync(join(rootfs, "var/cache/apt/archives/partial"), { recursive: true });
  rmSync(join(rootfs, "etc/apt/sources.list"), { force: true });
  writeFileSync(join(rootfs, "etc/apt/sources.list.d/debian.sources"), SOURCES);
}

/** The Node of the lock file and npm, where the official image has them. */
async function addNode(rootfs: string, folder: string): Promise<void> {
  cpSync(join(root, "node_modules/node/bin/node"), join(rootfs, "usr/local/bin/node"));
  const pack = ["pack", NPM, "--silent", "--pack-destination", folder];
  const archive = (await execute("npm", pack, 5 * minute)).trim().split("\n").at(-1) ?? "";
  const modules = join(rootfs, "usr/local/lib/node_modules");
  mkdirSync(modules, { recursive: true });
  await execute("tar", ["-xzf", join(folder, archive), "-C", modules], minute);
  await execute("mv", [join(modules, "package"), join(modules, "npm")], minute);
  for (const name of ["npm", "npx"]) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(rootfs, "usr/local/bin", name));
  }
}

async function commit(rootfs: string): Promise<void> {
  const container = await buildah(["from", "scratch"]);
  try {
    await buildah(["copy", container, rootfs, "/"], 5 * minute);
    const env = ["--env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];
    await buildah(["config", ...env, "--env", `NODE_EXTRA_CA_CERTS=${CERTIFICATES}`, container]);
    await buildah(["commit", "--format", "docker", container, NAME], 5 * minute);
  } finally {
    await buildah(["rm", container]);
  }
}

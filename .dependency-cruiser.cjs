// Who may import whom: the table in docs/ARCHITECTURE.md ("Folders"), enforced. `import type` counts as well.

/** Besides its own folder and base/. Patterns of paths under src/. */
const mayImport = {
  base: [],
  config: [],
  fetch: ["config/"],
  matrix: ["config/", "fetch/"],
  channel: ["media/(plane|messages)\\.ts$"],
  media: ["fetch/"],
  store: [],
  settings: ["store/"],
  player: ["media/(plane|messages)\\.ts$", "fetch/", "store/"],
  recorder: ["media/(plane|messages)\\.ts$", "media/tracks/", "media/audio/ffmpeg", "store/", "settings/"],
  "room-admin": ["matrix/", "config/", "channel/ports\\.ts$"],
  diagnosis: ["media/(plane|messages)\\.ts$", "channel/", "room-admin/missing\\.ts$"],
  check: [
    ...[
      "config/",
      "matrix/",
      "media/",
      "room-admin/",
      "player/resolver/library\\.ts$",
      "player/ytdlp/program\\.ts$",
      "recorder/limits\\.ts$",
    ],
    ...["channel/ports\\.ts$", "program/exit-codes\\.ts$"],
  ],
  health: ["diagnosis/", "media/(plane|messages)\\.ts$", "channel/session\\.ts$"],
  commands: [
    "player/",
    "recorder/",
    "settings/",
    "channel/",
    "diagnosis/",
    "health/status\\.ts$",
    "room-admin/missing\\.ts$",
  ],
  bot: ["(?!program/|cli\\.ts$)"],
  program: ["(?!cli\\.ts$)"],
  web: [],
  page: ["channel/", "media/(plane|messages)\\.ts$"],
};

/** Where nothing may be needed but what the table says: these files are wiring, and only wiring. */
const onlyTypes = [
  { from: "^src/fetch/", to: "^src/config/" },
  { from: "^src/matrix/", to: "^src/config/" },
];

const folders = Object.entries(mayImport).map(([folder, allowed]) => ({
  name: `folder-${folder}`,
  comment: `src/${folder}/ may import: ${["base/", ...allowed].join(", ")}`,
  severity: "error",
  from: { path: `^src/${folder}/` },
  to: { path: "^src/", pathNot: [`^src/(${folder}|base)/`, ...allowed.map((path) => `^src/${path}`)] },
}));

/** Native code is loaded by its own engine alone, so that it can be replaced, and crash, alone. */
const engines = [
  { name: "node-datachannel", folder: "libdatachannel" },
  { name: "@roamhq/wrtc", folder: "wrtc" },
].map(({ name, folder }) => ({
  name: `engine-${folder}`,
  severity: "error",
  from: { path: "^src/", pathNot: `^src/media/engine/${folder}/` },
  to: { path: `(^|/)node_modules/${name}/|^${name}(/|$)` },
}));

module.exports = {
  forbidden: [
    ...folders,
    ...engines,
    ...onlyTypes.map((edge) => ({
      name: "only-types",
      severity: "error",
      from: { path: edge.from },
      to: { path: edge.to, dependencyTypesNot: ["type-only"] },
    })),
    {
      name: "unlisted-folder",
      comment: "A new folder needs a line in the table.",
      severity: "error",
      from: {},
      to: { path: `^src/(?!(${Object.keys(mayImport).join("|")})/)[^/]+/` },
    },
    {
      name: "no-circular",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "src-stands-alone",
      comment: "What ships does not need what tests it.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|demo|bench|scripts)/" },
    },
    {
      name: "demo-uses-the-built-bot",
      comment:
        "The demo starts the bot as a person would, and measures with code that shares nothing with it.",
      severity: "error",
      from: { path: "^demo/" },
      to: { path: "^src/", reachable: true },
    },
    {
      name: "channel-is-pure",
      comment: "It runs in a browser as well.",
      severity: "error",
      from: { path: "^src/(channel|page)/" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "no-dev-dependency",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "not-resolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: ["^(@jest/globals|ffmpeg-static)$"] },
    },
  ],
  options: {
    // This parser sees `import type` by itself. (import("…") as a type is forbidden by the linter.)
    parser: "swc",
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      extensions: [".ts", ".js"],
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
    },
  },
};

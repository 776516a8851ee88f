/** What other music bots, and people, call the commands: no aliases, which everybody would have to know, but what is meant. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  play: ["add", "enqueue", "song", "music", "youtube", "yt", "spiel", "spiele"],
  playnext: ["playtop", "pt", "insert", "addnext"],
  skip: ["next", "n", "weiter", "voteskip"],
  stop: ["halt", "reset", "end", "stopp"],
  resume: ["unpause", "continue", "go"],
  leave: ["disconnect", "quit", "part", "bye", "exit"],
  join: ["summon", "come", "connect"],
  nowplaying: ["current", "playing", "now", "track", "title", "titel"],
  queue: ["list", "upcoming", "playlist"],
  loop: ["repeat", "loopqueue", "lq", "again"],
  shuffle: ["mix", "random"],
  remove: ["delete", "rm", "del"],
  seek: ["forward", "ff", "rewind", "rw", "jump"],
  replay: ["restart"],
  previous: ["back", "last", "zurück"],
  volume: ["loud", "louder", "quieter", "lauter", "leiser", "mute"],
  filter: ["bass", "bassboost", "speed", "pitch", "nightcore", "equaliser", "equalizer", "effects"],
  lists: ["playlists"],
  settings: ["config", "setting", "prefix", "language"],
  help: ["commands", "info", "about", "hilfe", "befehle"],
};

const meant = new Map(
  Object.entries(OTHERS).flatMap(([name, others]) => others.map((other) => [other, name])),
);

/** The command that somebody means by this name, which is none of ours; null: not known. @param name in lower case */
export const otherName = (name: string): string | null => meant.get(name) ?? null;

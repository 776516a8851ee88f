/** Every text for people, in English. Keys are grouped by who says them; parameters in braces. */
export const en = {
  "error.internal": "Something went wrong on my side ({code}). It is in my log; please try again.",
  "error.not_permitted": "Only people with power level {level} or more may do that here; you have {actual}.",
  "error.homeserver": "The homeserver did not take that ({reason}). Please try again.",
  "error.media_plane_down": "My audio part is restarting. Please try again in a few seconds.",
  "room.encrypted":
    "This room is encrypted, and I cannot work in encrypted rooms. Please invite me to one without encryption.",
  "room.power":
    "I cannot join the voice channel here: sending `{event}` needs power level {needed}, and I have {actual}. A moderator can give me level {needed}, or set `{event}` to {suggested} in the room's permissions.",
} as const;

export type MessageKey = keyof typeof en;

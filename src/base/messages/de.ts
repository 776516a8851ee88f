import type { MessageKey } from "./en.ts";

/** Every text for people, in German. */
export const de: Record<MessageKey, string> = {
  "error.internal":
    "Bei mir ist etwas schiefgegangen ({code}). Es steht in meinem Protokoll; bitte versuche es noch einmal.",
  "error.not_permitted": "Das dürfen hier nur Leute ab Berechtigungsstufe {level}; du hast {actual}.",
  "error.homeserver": "Der Homeserver hat das nicht angenommen ({reason}). Bitte versuche es noch einmal.",
  "error.media_plane_down": "Mein Audioteil startet neu. Bitte versuche es in ein paar Sekunden noch einmal.",
  "room.encrypted":
    "Dieser Raum ist verschlüsselt, und in verschlüsselten Räumen kann ich nicht arbeiten. Bitte lade mich in einen ohne Verschlüsselung ein.",
  "room.power":
    "Ich kann dem Sprachkanal hier nicht beitreten: Für `{event}` braucht man Stufe {needed}, ich habe {actual}. Eine Moderatorin oder ein Moderator kann mir Stufe {needed} geben oder `{event}` in den Raumberechtigungen auf {suggested} setzen.",
};

// The table of what a room can set, for docs/USAGE.md, printed from the settings themselves.
import { render } from "../src/base/messages/catalogue.ts";
import { SETTING_NAMES, settingOf } from "../src/settings/table.ts";
import { table } from "./command-docs.ts";

export function roomSettingsTable(): string {
  const rows = SETTING_NAMES.map((name) => {
    const { allowed, default: standard, meaning } = settingOf(name);
    return [`\`${name}\``, allowed, String(standard), render({ key: meaning, params: { prefix: "!" } }).text];
  });
  return table(["setting", "can be", "by default", "what it is for"], rows);
}

"use strict";
// matrix-bot-sdk requires this package at load time even when encryption is unused. The real one
// downloads a native binary in its install step, which must not be a must. Every export throws when used.
const names = [
  "DecryptionSettings",
  "DeviceId",
  "DeviceLists",
  "EncryptionAlgorithm",
  "EncryptionSettings",
  "HistoryVisibility",
  "KeysUploadRequest",
  "OlmMachine",
  "RequestType",
  "RoomId",
  "StoreType",
  "TrustRequirement",
  "UserId",
  "Attachment",
  "EncryptedAttachment",
];
for (const name of names) {
  exports[name] = class {
    constructor() {
      throw new Error(`${name}: encryption is not built into matrix-voice-bot`);
    }
  };
}

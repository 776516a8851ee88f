import type { MessageKey } from "./en.ts";

/** Every text for people, in German. */
export const de: Record<MessageKey, string> = {
  "error.internal":
    "Bei mir ist etwas schiefgegangen ({code}). Es steht in meinem Protokoll; bitte versuche es noch einmal.",
  "error.not_permitted": "Das dürfen hier nur Leute ab Berechtigungsstufe {level}; du hast {actual}.",
  "error.not_yours":
    "Das darf hier nur, wer um die Titel gebeten hat, wer mit mir allein im Sprachkanal ist, und Leute ab Berechtigungsstufe {level}; du hast {actual}.",
  "error.not_permitted_dj":
    "Das dürfen hier nur DJs dieses Raums (`{prefix}dj`) und Leute ab Berechtigungsstufe {level}; du hast {actual}.",
  "error.not_yours_dj":
    "Das darf hier nur, wer um die Titel gebeten hat, wer mit mir allein im Sprachkanal ist, die DJs dieses Raums (`{prefix}dj`), und Leute ab Berechtigungsstufe {level}; du hast {actual}.",
  "error.homeserver": "Der Homeserver hat das nicht angenommen ({reason}). Bitte versuche es noch einmal.",
  "media.upload_too_large": "Der Homeserver nimmt Dateien bis {limit} MB an, diese hat {size} MB.",
  "media.download_too_large": "Diese Datei hat {size} MB; ich nehme Dateien bis {limit} MB an.",
  "media.not_there": "Diese Datei gibt es nicht (mehr). Bitte lade sie noch einmal hoch.",
  "error.media_plane_down": "Mein Audioteil startet neu. Bitte versuche es in ein paar Sekunden noch einmal.",
  "error.ffmpeg_missing":
    "Ich kann keine Audiodateien lesen: Dort, wo ich laufe, fehlt das Programm ffmpeg. Wer mich betreibt, muss es installieren.",
  "error.media_unreadable":
    "Ich kann diese Datei nicht als Ton lesen. Bitte versuche es mit einer anderen Datei oder einem anderen Format.",
  "room.encrypted":
    "Dieser Raum ist verschlüsselt, und in verschlüsselten Räumen kann ich nicht arbeiten. Bitte lade mich in einen ohne Verschlüsselung ein.",
  "room.moved":
    "Dieser Raum wurde durch einen neuen ersetzt. Ich bin umgezogen, mit der Warteschlange und allem, was ich für diesen Raum aufbewahre.",
  "room.move_refused":
    "Dieser Raum wurde durch einen neuen ersetzt, der mich nicht hereinlässt. Bitte ladet mich dorthin ein; bis dahin bleibe ich hier.",
  "room.store_lost":
    "Was ich aufgehoben hatte, ließ sich nicht mehr lesen und liegt jetzt beiseite: Warteschlange, Listen, Einstellungen und wer nicht aufgenommen werden will, sind hier wie am ersten Tag. Ich nehme niemanden auf, der nicht zustimmt. Aufnahmen sind nicht verloren. `{prefix}join` holt mich wieder in den Kanal.",
  "room.moved_here":
    "Da bin ich, mit der Warteschlange und allem, was ich für den alten Raum aufbewahrt habe.",
  "room.power":
    "Ich kann dem Sprachkanal hier nicht beitreten: Für `{event}` braucht man Stufe {needed}, ich habe {actual}. Eine Moderatorin oder ein Moderator kann mir Stufe {needed} geben oder `{event}` in den Raumberechtigungen auf {suggested} setzen.",
  "room.hello":
    "Hallo! Ich spiele Musik in den Sprachkanal dieses Raums und nehme ihn auf. Tritt dem Kanal bei und sag `{prefix}play Name`, oder `{prefix}help` für alles, was ich kann.",
  "room.hello_missing":
    "Hallo! Ich spiele Musik in Sprachkanäle und nehme sie auf. Hier fehlt noch etwas:\n{list}\nWenn das geändert ist, tritt dem Kanal bei und sag `{prefix}play Name`; `{prefix}help` zeigt alles, was ich kann.",
  "missing.bot_channel":
    "Ich kann dem Sprachkanal nicht beitreten: Für {event} braucht man Stufe {needed}, ich habe {actual}. Eine Moderatorin oder ein Moderator kann es in den Raumberechtigungen auf {suggested} setzen oder mir Stufe {needed} geben.",
  "missing.bot_talk":
    "Ich kann im Chat nicht antworten: Für {event} braucht man Stufe {needed}, ich habe {actual}. Eine Moderatorin oder ein Moderator kann mir Stufe {needed} geben.",
  "missing.members_channel":
    "Mitglieder können nicht im Sprachkanal sein: Für {event} braucht man Stufe {needed}, sie haben {actual}. Eine Moderatorin oder ein Moderator kann es in den Raumberechtigungen auf {suggested} setzen.",
  "missing.members_talk":
    "Hier kann nur schreiben, wer Stufe {needed} oder mehr hat; nur von diesen Leuten nehme ich also Befehle an.",
  "missing.grant":
    "Wer mich betreibt, erfährt Klick für Klick, was zu setzen ist: matrix-voice-bot room grant '{room}'",
  "missing.rate_limit":
    "Der Homeserver nimmt von mir nur wenige Ereignisse in der Minute an, meine Antworten kommen darum vielleicht spät. Wer den Server betreibt, kann mich davon ausnehmen.",
  "channel.alone":
    "Seit {minutes} Minuten war niemand mit mir im Sprachkanal, also habe ich ihn verlassen. Die Warteschlange bleibt; `{prefix}play` oder `{prefix}join` holt mich zurück.",
  // commands: who may and how
  "command.unknown_nearest": "`{prefix}{name}` kenne ich nicht. Meintest du `{prefix}{nearest}`?",
  "command.unknown": "`{prefix}{name}` kenne ich nicht. `{prefix}help` zeigt, was ich kann.",
  "command.too_many":
    "Das ist mehr, als ich von einer Person auf einmal annehme. Gleich höre ich dir wieder zu.",
  "command.usage": "Das geht so: {usage}",
  "command.not_in_channel": "Ich bin nicht im Sprachkanal. `{prefix}join` holt mich dazu.",
  "channel.empty": "Im Sprachkanal ist niemand. Geh hinein und sage noch einmal `{command}`.",
  "channel.joined": "Ich bin im Sprachkanal.",
  "channel.left": "Ich habe den Sprachkanal verlassen.",
  "channel.key_overwritten":
    "{user} hat meinen Eintrag im Sprachkanal überschrieben. Ich habe ihn wiederhergestellt; geht das so weiter, kann eine Moderatorin oder ein Moderator die Stufe für `de.mtorials.test.callstate` anheben.",
  "channel.key_taken":
    "{user} und {owner} benutzen im Sprachkanal beide den Gerätenamen „{name}“, deshalb ist nur {owner} zu hören. {user}, bitte wähle einen anderen Namen und tritt noch einmal bei.",
  "channel.lost":
    "Mein Audioteil ist nicht wiedergekommen, deshalb habe ich den Sprachkanal verlassen. Bitte hole mich später noch einmal.",
  "channel.refresh_forbidden":
    "Ich darf nicht mehr im Sprachkanal sein, deshalb habe ich ihn verlassen. Eine Moderatorin oder ein Moderator kann die Stufe für `de.mtorials.test.callstate` senken oder meine anheben.",
  "channel.not_in_room": "Ich bin nicht mehr in diesem Raum.",
  ping: "Hier, {ms} ms nachdem du geschrieben hast.",
  // words of how commands are used
  "usage.name": "Name",
  "usage.page": "Seite",
  "usage.words": "Wörter",
  "usage.station": "Name oder Adresse",
  "usage.title": "Titel",
  "usage.text": "Text",
  "usage.value": "Wert",
  "usage.command": "Befehl",
  // status
  "status.list": "So geht es mir:\n{list}",
  "status.version": "Version {version}, läuft seit {uptime}",
  "status.sync": "letzte Antwort des Homeservers vor {seconds} s",
  "status.unlimited":
    "kein Ratenlimit in den letzten zehn Minuten ({count} {count?Absage|Absagen} insgesamt)",
  "status.limited":
    "der Homeserver bremst mich gerade ({count} {count?Absage|Absagen} insgesamt): Antworten und Auffrischungen kommen später",
  "status.rooms":
    "in {rooms} {rooms?Raum|Räumen}, und in {channels} {channels?Sprachkanal|Sprachkanälen} mit {people} {people?Person|Leuten}",
  "status.media": "Tonprozesse: {count} ({engine}), {mb} MB, unerwartet beendet: {failures}",
  "status.media_asleep": "Tonprozesse: gerade keine nötig, unerwartet beendet: {failures}",
  "status.memory": "Speicher: {mb} MB",
  "status.levels": "Lautheit: {waiting} der {files} Dateien des Medienordners sind noch zu messen",
  "status.recordings":
    "Aufnahmen: {running} {running?läuft|laufen}, {waiting} vorzubereiten oder zu senden, {kept} {kept?Datei|Dateien} nicht gesendet",
  // check: how it stands with the channel
  "check.list": "{list}",
  "check.phase_in": "Ich bin seit {time} im Sprachkanal",
  "check.phase_out": "Ich bin nicht im Sprachkanal",
  "check.phase_joining": "Ich bin seit {time} auf dem Weg in den Sprachkanal",
  "check.phase_leaving": "Ich verlasse gerade den Sprachkanal",
  "check.is_silent": "es läuft nichts",
  "check.is_playing": "es läuft Musik",
  "check.is_paused": "angehalten",
  "check.members": "außer mir da: {count}",
  "check.heard": "gehört von {heard} von {count}",
  "check.engine": "Engine {engine}",
  "check.encoder": "{kbits} kbit/s",
  "check.encoder_fec": "{kbits} kbit/s, gegen {percent} % Verlust geschützt",
  "check.synced": "Homeserver vor {time} gehört",
  "check.waiting": "{count} {count?Nachricht wartet|Nachrichten warten} darauf, gesendet zu werden",
  "check.bot_out": "Ich bin nicht im Sprachkanal: `{prefix}join` oder `{prefix}play` holt mich.",
  "check.bot_joining":
    "Ich versuche seit {time}, in den Sprachkanal zu kommen: Der Homeserver ist vielleicht langsam oder hält meine Nachrichten zurück.",
  "check.plane_down":
    "Mein Audioteil ist ausgefallen und wird neu gestartet. Bleibt das so, findet den Grund, wer mich betreibt, in meinem Protokoll.",
  "check.plane_silent":
    "Mein Audioteil antwortet nicht. Bleibt das so, sollte in mein Protokoll sehen, wer mich betreibt.",
  "check.machine_busy":
    "Der Rechner, auf dem ich laufe, kommt nicht nach ({percent} % meines Tons ist zu spät): Wer mich betreibt, sollte ihm mehr CPU geben.",
  "check.sync_late":
    "Der Homeserver hat mir seit {time} nicht geantwortet, darum sehe ich nicht, wer kommt: Läuft er, und das Netz zwischen uns?",
  "check.rate_limited":
    "Die Ratenbegrenzung des Homeservers hält {count} meiner Nachrichten zurück (bis zu {time} schon), darum dauert das Verbinden lange. Ein Administrator kann sie aufheben: `POST /_synapse/admin/v1/users/{userId}/override_ratelimit` mit `messages_per_second` und `burst_count` 0.",
  "check.outbox_stuck":
    "{count} meiner Nachrichten kommen seit {time} nicht beim Homeserver an: Läuft er, und das Netz zwischen uns?",
  "check.nobody_there": "Ich spiele, und niemand ist im Sprachkanal.",
  "check.nobody_hears": "Ich spiele, und niemand hört es. Die Gründe stehen unten.",
  "check.volume_zero": "Die Lautstärke ist 0 %: Mit `{prefix}volume 100` bin ich zu hören.",
  "check.paused": "Was läuft, ist angehalten: Mit `{prefix}resume` geht es weiter.",
  "check.recording": "Seit {time} läuft eine Aufnahme.",
  "check.link_connected": "verbunden seit {time}",
  "check.link_interrupted": "unterbrochen",
  "check.link_connecting": "verbindet sich seit {time}",
  "check.link_expected": "seit {time} nicht verbunden",
  "check.link_answering": "seit {time} nicht verbunden",
  "check.link_offering": "seit {time} nicht verbunden",
  "check.link_offered": "seit {time} nicht verbunden",
  "check.link_given_up": "seit {time} nicht verbunden",
  "check.link_apart": "im Kanal",
  "check.direct": "direkt",
  "check.direct_host": "direkt (host)",
  "check.direct_nat": "direkt (durch NAT)",
  "check.relayed": "über einen Relay",
  "check.relayed_ours": "über einen Relay (meinen TURN-Server)",
  "check.relayed_theirs": "über einen Relay (deren TURN-Server)",
  "check.round_trip": "{ms} ms hin und zurück",
  "check.lost_ours": "von mir verloren {recent} % (insgesamt {all} %)",
  "check.redundancy": "{count} mit jedem Paket noch einmal gesendet",
  "check.lost_theirs": "von dort {recent} % (insgesamt {all} %)",
  "check.jitter_ms": "Jitter {ms} ms",
  "check.voice_none": "hat nichts gesendet",
  "check.voice_since": "hat seit {time} nichts gesendet",
  "check.voice_muted": "stumm",
  "check.voice_dtx": "still (sendet nur Lebenszeichen)",
  "check.voice_unknown": "Pegel unbekannt",
  "check.voice_level": "{level} dBFS",
  "check.voice_quiet": "still ({level} dBFS)",
  "check.interrupted":
    "Von {name} kommt nichts mehr an: Das Netz dort ist weg, oder das Gerät schläft. Ich versuche es von selbst wieder.",
  "check.answer_limited":
    "Meine Nachricht an {name} wartet seit {time}, weil der Homeserver begrenzt, wie viele ich senden darf.",
  "check.answer_late": "Meine Antwort an {name} kommt seit {time} nicht beim Homeserver an.",
  "check.no_way":
    "{name} verbindet sich seit {time}: Das Netz dort lässt vermutlich kein UDP durch; wer mich betreibt, kann einen TURN-Server einrichten (`VOICEBOT_ICE_SERVERS`).",
  "check.no_way_relay":
    "{name} verbindet sich seit {time}, und nicht einmal über einen TURN-Server fand sich ein Weg: Läuft er, und erreichen {name} und ich ihn beide?",
  "check.private":
    "{name} verbindet sich seit {time} und nennt nur Adressen in privaten Netzen, zu denen ich nichts sende: Wer mich betreibt, kann die meines eigenen Netzes erlauben (`VOICEBOT_ICE_LOCAL_SUBNETS`) oder einen TURN-Server einrichten (`VOICEBOT_ICE_SERVERS`).",
  "check.never_offered":
    "{name} ist im Kanal und hat seit {time} weder eine Verbindung angeboten noch meine beantwortet: vermutlich ein Client ohne WebRTC oder ein schlafender Tab. Ist es beides nicht, hilft es, den Kanal zu verlassen und wieder zu betreten.",
  "check.no_answer":
    "{name} beantwortet meine Angebote seit {time} nicht: Es sollte helfen, den Kanal zu verlassen und wieder zu betreten oder die Seite neu zu laden.",
  "check.loss_out": "{percent} % von dem, was ich an {name} sende, geht verloren: Das Netz dort ist schwach.",
  "check.loss_in":
    "{percent} % von dem, was {name} sagt, geht auf dem Weg zu mir verloren: Das Netz dort ist schwach.",
  "check.unheard":
    "Bei {name} scheint nichts anzukommen, was ich sende (kein Bericht seit {time}): Ist dort Ton erlaubt? Den Kanal zu verlassen und wieder zu betreten, sollte helfen.",
  "check.slow": "Der Weg zu {name} und zurück dauert {ms} ms, das macht Gespräche schwer.",
  "check.jitter":
    "Pakete zwischen {name} und mir kommen ungleichmäßig (um {ms} ms): ein schwaches Netz, oft ein drahtloses.",
  "check.sends_nothing":
    "{name} hat überhaupt keinen Ton gesendet: Es ist kein Mikrofon gewählt oder erlaubt, oder dort wird nur zugehört.",
  "check.sent_nothing_since":
    "{name} hat seit {time} nichts gesendet: Das Mikrofon ist aus, oder der Tab schläft.",
  "check.muted": "{name} sendet reine Stille: Das Mikrofon ist stumm geschaltet.",
  "check.heard_nothing":
    "Von {name} habe ich seit {time} nichts gehört: Das Mikrofon ist vielleicht stumm geschaltet.",
  "check.quiet": "{name} ist sehr leise ({level} dBFS): näher ans Mikrofon, oder mehr Verstärkung.",
  "check.loud": "{name} ist zu laut ({level} dBFS) und vermutlich verzerrt: weniger Verstärkung.",
  "check.more_fine": "und {count} weitere {count?Person, auch in Ordnung|Personen, alle in Ordnung}",
  "check.more": "und {count} weitere {count?Person|Personen}",
  // player
  "stream.not_hls": "seine Adresse führt zu keiner HLS-Liste, die ich lesen kann",
  "stream.not_audio": "seine Adresse führt zu etwas anderem als Ton",
  "stream.no_audio": "es ist kein Ton darin",
  "stream.too_long": "seine Liste ist mir zu lang",
  "stream.encrypted": "er ist so verschlüsselt, dass ich ihn nicht lesen kann",
  "stream.ended": "sein Server hat ihn beendet",
  "stream.broken": "Teile davon sind nicht zu lesen",
  "stream.still": "es kommt nichts Neues mehr",
  "radio.list": "Radiosender:\n{list}",
  "radio.none": "Eine Liste von Sendern gibt es hier nicht. Gib mir die Adresse von einem.",
  "radio.unknown": "Einen Sender namens {query} kenne ich nicht. Ich kenne:\n{names}",
  "radio.none_known": "Einen Sender namens {query} kenne ich nicht. Gib mir die Adresse von einem.",
  "play.now": "Jetzt läuft **{title}**.",
  "play.queued": "**{title}** ist in der Warteschlange auf Platz {position}.",
  "play.queued_eta": "**{title}** ist in der Warteschlange auf Platz {position}, dran in etwa {eta}.",
  "play.queued_again": "**{title}** ist noch einmal in der Warteschlange, auf Platz {position}.",
  "play.queued_eta_again":
    "**{title}** ist noch einmal in der Warteschlange, auf Platz {position}, dran in etwa {eta}.",
  "play.many_limit":
    "{count} Titel von **{title}** {count?ist|sind} in der Warteschlange. Mehr darf hier niemand darin haben; ausgelassen: {left}.",
  "play.not_found": "Im Medienordner finde ich nichts namens {query}.",
  "play.not_found_nearest":
    "Ich finde nichts namens {query}. Am nächsten kommen, und eine Nummer spielt davon ab:\n{names}",
  "play.ambiguous": "{count} Dateien passen zu {query}. Welche? Antworte mit der Nummer.\n{names}",
  "play.many": "{count} Titel aus **{title}** {count?ist|sind} in der Warteschlange.",
  "play.many_left":
    "{count} Titel aus **{title}** {count?ist|sind} in der Warteschlange; {left} {left?weiterer passte|weitere passten} nicht hinein.",
  "play.many_partly":
    "{count} von {total} aus **{title}** in die Warteschlange gestellt; {failed} {failed?ließ|ließen} sich nicht verwenden:\n{names}",
  "play.many_partly_left":
    "{count} von {total} aus **{title}** in die Warteschlange gestellt; {left} {left?weiterer passte|weitere passten} nicht hinein, und {failed} {failed?ließ|ließen} sich nicht verwenden:\n{names}",
  "ytdlp.missing":
    "An dieser Adresse ist kein Ton. Seiten von Musik- und Videodiensten spiele ich, wo yt-dlp installiert ist: Wer mich betreibt, tut das mit `python3 -m pip install yt-dlp`.",
  "ytdlp.off":
    "An dieser Adresse ist kein Ton, und Seiten von Musik- und Videodiensten sind hier abgeschaltet.",
  "ytdlp.failed": "Das konnte ich von {host} nicht bekommen: {reason}",
  "ytdlp.failed_old":
    "Das konnte ich von {host} nicht bekommen: {reason} – Mein yt-dlp ist {days} Tage alt, woran das oft liegt. Wer mich betreibt, erneuert es mit `python3 -m pip install --upgrade yt-dlp` oder `yt-dlp -U`.",
  "ytdlp.unsupported": "An dieser Adresse von {host} habe ich nichts gefunden, was ich spielen kann.",
  "ytdlp.unsupported_old":
    "An dieser Adresse von {host} habe ich nichts gefunden, was ich spielen kann. Mein yt-dlp ist {days} Tage alt, woran das liegen kann. Wer mich betreibt, erneuert es mit `python3 -m pip install --upgrade yt-dlp` oder `yt-dlp -U`.",
  "ytdlp.no_answer":
    "Ich verstehe nicht, was yt-dlp antwortet. Wer mich betreibt, sollte es erneuern: `python3 -m pip install --upgrade yt-dlp` oder `yt-dlp -U`.",
  "ytdlp.late": "yt-dlp war nach {seconds} s nicht fertig. Bitte versuch es später noch einmal.",
  "ytdlp.live": "**{title}** ist ein Livestream, den ich von dort nicht nehmen kann.",
  "ytdlp.too_long": "**{title}** ist länger als {hours} Stunden.",
  "ytdlp.no_file": "Darin ist kein Ton, den ich nehmen kann, oder es hat mehr als {limit} MB.",
  "playlist.too_large": "Diese Playlist ist zu lang: Ich lese bis zu {limit} MB.",
  "playlist.is_stream":
    "Das ist das Verzeichnis eines Livestreams, keine Liste von Titeln. Bitte gib mir stattdessen seine Adresse.",
  "playlist.damaged":
    "Ich kann diese Playlist nicht lesen: Sie ist beschädigt oder keine. Ich lese m3u, m3u8, pls und xspf.",
  "playlist.empty": "**{title}** ist leer.",
  "playlist.nothing": "Nichts aus **{title}** ließ sich verwenden:\n{names}",
  "playlist.ambiguous": "{count} Playlists passen zu {query}. Welche?\n{names}",
  "playlist.not_found": "Ich habe im Medienordner keine Playlist namens {query} gefunden.",
  "playlist.line": "{name}: {reason}",
  "playlist.more": "und {count} {count?weiterer|weitere}",
  "playlist.why_outside": "liegt außerhalb des Medienordners",
  "playlist.why_scheme": "Adressen mit {scheme} öffne ich nicht",
  "playlist.why_missing": "ist nicht im Medienordner",
  "playlist.why_deep": "eine Playlist in einer Playlist in einer Playlist",
  "playlist.why_late": "es anzusehen dauerte zu lange",
  "playlist.why_long": "die Adresse ist zu lang",
  "search.found": "{names}\nEine Nummer spielt davon ab.",
  "search.more": "{names}\nEs gibt mehr. Eine Nummer spielt davon ab; mehr Wörter grenzen es ein.",
  "play.no_folder": "Im Medienordner finde ich keinen Ordner namens {query}.",
  "play.ambiguous_folder": "{count} Ordner passen zu {query}. Welcher?\n{names}",
  "play.folder_hangs": "Die Platte mit dem Medienordner antwortet nicht.",
  "play.file_gone": "die Datei ist nicht mehr da",
  "play.too_large": "Diese Datei hat {size} MB; ich nehme bis zu {limit} MB.",
  "play.empty_file": "{title} ist leer.",
  "play.not_audio": "{title} ist keine Audiodatei.",
  "play.reply_not_audio":
    "Die Nachricht, auf die du geantwortet hast, enthält keine Audiodatei, die ich abspielen kann.",
  "fetch.bad_url":
    "Das kann ich nicht als Webadresse lesen. Bitte gib mir eine wie `https://example.org/track.mp3`.",
  "fetch.scheme": "Ich hole nur über https. Bitte gib mir eine Adresse, die mit `https://` beginnt.",
  "fetch.http":
    "Ich hole nur über https, und diese Adresse beginnt mit http. Oft geht dieselbe mit `https://`; wer mich betreibt, kann http erlauben (`fetch.http`).",
  "fetch.credentials":
    "Ich nehme keine Adressen mit Benutzernamen oder Passwort. Diese konnten hier alle lesen: besser ändern.",
  "fetch.port": "Von Port {port} hole ich nichts. Bitte gib mir eine andere Adresse.",
  "fetch.own_network":
    "{host} ist nicht im öffentlichen Internet, und aus meinem eigenen Netz hole ich nichts. Wer mich betreibt, kann es erlauben (`fetch.allow`).",
  "fetch.redirects": "{host} schickt mich immer weiter. Bitte gib mir die Adresse der Datei selbst.",
  "fetch.no_host": "Ich finde {host} nicht. Bitte prüfe die Adresse.",
  "fetch.unreachable":
    "Ich erreiche {host} nicht. Bitte versuche es später noch einmal oder mit einer anderen Adresse.",
  "fetch.certificate":
    "{host} kann nicht beweisen, dass es {host} ist (sein Zertifikat), also hole ich dort nichts. Bitte gib mir eine andere Adresse.",
  "fetch.no_http": "{host} antwortet nicht wie ein Webserver. Bitte prüfe die Adresse.",
  "fetch.broken_off": "{host} hat mittendrin abgebrochen. Bitte versuche es noch einmal.",
  "fetch.packed":
    "{host} schickt das nur gepackt, und ich nehme Dateien, wie sie sind. Bitte gib mir eine andere Adresse.",
  "fetch.status": "{host} hat mit {status} statt der Datei geantwortet. Bitte prüfe die Adresse.",
  "fetch.slow": "{host} ist zu langsam. Bitte versuche es später noch einmal oder mit einer anderen Adresse.",
  "fetch.too_large": "Diese Datei hat mehr als {limit} MB, und mehr nehme ich nicht.",
  "fetch.empty": "An dieser Adresse ist nichts. Bitte prüfe sie.",
  "fetch.not_audio": "An dieser Adresse ist kein Ton. Bitte gib mir die Adresse der Audiodatei selbst.",
  "fetch.page":
    "An dieser Adresse ist eine Webseite, keine Audiodatei. Bitte gib mir die Adresse der Datei selbst.",
  "fetch.disk_full": "Meine Festplatte ist voll. Wer mich betreibt, muss Platz schaffen.",
  "fetch.too_many": "Das waren viele Downloads in letzter Zeit. Bitte warte einige Minuten.",
  "fetch.busy":
    "Ich hole schon so viel auf einmal, wie ich kann. Bitte versuche es in einer Minute noch einmal.",
  "fetch.takes_long":
    "Das dauert lange. Ich hole es weiter von {host}; bitte frage in einigen Minuten noch einmal.",
  "fetch.fetching": "Ich hole es von {host} …",
  "player.failed": "**{title}** lässt sich nicht abspielen: {reason}.",
  "reason.cut": "es bricht nach {heard} von {length} s ab",
  "reason.stalled": "es kam {seconds} s lang nichts mehr davon",
  "reason.kind": "{kind} ist keine Art von Ton, die ich spiele",
  "reason.no_index": "es ist nicht vollständig: Das Verzeichnis an seinem Ende fehlt",
  "reason.no_sound": "darin ist kein Ton",
  "reason.damaged": "es ist beschädigt oder keine Audiodatei",
  "reason.other": "{detail}",
  "player.gave_up":
    "{failures} Titel hintereinander gingen nicht, deshalb habe ich angehalten. {waiting} {waiting?wartet|warten} noch.",
  "stall.silent": "es kam kein Ton, auch beim zweiten Versuch nicht",
  "stall.source":
    "aus der Datei oder von der Adresse kam zehn Sekunden lang nichts, auch beim zweiten Versuch nicht",
  "stall.unanswered": "es fing nicht an, auch beim zweiten Versuch nicht",
  "stall.unsent": "der Ton ging hier nicht hinaus",
  "stall.held":
    "{count} Titel hintereinander gaben keinen Ton, deshalb habe ich angehalten. Die Warteschlange bleibt, wie sie ist; `{prefix}resume` versucht es noch einmal, und `{prefix}check` sagt, wie es steht.",
  "stall.held_unsent":
    "Die Musik läuft, aber nichts davon geht zu irgendwem hinaus, deshalb habe ich angehalten. `{prefix}resume` versucht es noch einmal; hilft das nicht, dann vielleicht `{prefix}leave` und `{prefix}join`.",
  "player.nothing": "Es läuft nichts.",
  "player.already_skipped": "Schon übersprungen.",
  "player.skipped": "**{title}** übersprungen.",
  "player.skipped_now": "**{title}** übersprungen. Jetzt läuft **{next}**.",
  "player.skipped_many": "{count} Titel übersprungen.",
  "player.skipped_many_now": "{count} Titel übersprungen. Jetzt läuft **{next}**.",
  "vote.counted":
    "{votes} von {needed} {votes?will|wollen} **{title}** überspringen. `{prefix}skip` ist eine Stimme dafür.",
  "vote.skipped": "{votes} von {needed} {votes?wollte|wollten} das: **{title}** übersprungen.",
  "vote.skipped_now":
    "{votes} von {needed} {votes?wollte|wollten} das: **{title}** übersprungen. Jetzt läuft **{next}**.",
  "vote.not_there":
    "Um diesen Titel hat jemand anderes gebeten: Nur wer im Sprachkanal ist, kann dafür stimmen, ihn zu überspringen.",
  "card.playing": "▶ Jetzt läuft **{title}**\n{list}",
  "card.paused": "⏸ Angehalten: **{title}**\n{list}",
  "card.nothing": "⏹ Es läuft nichts.",
  "card.moved": "⤵ Weiter unten.",
  "card.live": "live",
  "card.details": "Für {requester} · Lautstärke {volume} %",
  "card.next": "Danach: {title}",
  "card.next_more": "Danach: {title} und {count} {count?weiterer|weitere}",
  "card.votes": "{votes} von {needed} {votes?will|wollen} das überspringen.",
  "card.refused": "{name}: {reason}",
  "player.stopped": "Angehalten, und die Warteschlange ist leer.",
  "player.paused": "**{title}** angehalten bei {position}.",
  "player.resumed": "Weiter mit **{title}**.",
  "player.paused_already": "**{title}** ist schon angehalten. Mit `{prefix}resume` geht es weiter.",
  "player.playing_already": "**{title}** läuft schon.",
  "player.paused_live": "**{title}** angehalten. Es ist live: Weiter geht es mit dem, was dann läuft.",
  "player.interrupted": "Von **{title}** kommt gerade nichts. Zwei Minuten lang versuche ich es weiter.",
  "player.volume": "Die Lautstärke ist {percent} %.",
  "player.volume_set": "Die Lautstärke ist jetzt {percent} %.",
  "player.volume_me":
    "Du hörst die Musik mit {percent} % von dem, was alle hören. `{prefix}volume me off` nimmt das zurück.",
  "player.volume_me_none":
    "Du hörst die Musik wie alle. `{prefix}volume me 60` macht sie nur für dich leiser.",
  "player.volume_me_set":
    "Nur für dich ist die Musik jetzt auf {percent} %, auch wenn du wiederkommst. `{prefix}volume me off` nimmt das zurück.",
  "player.volume_me_off": "Du hörst die Musik wieder wie alle.",
  "player.volume_max":
    "Die Lautstärke geht in diesem Raum bis {percent} %. Das ändern Moderatorinnen und Moderatoren mit `{prefix}settings volume-max`.",
  "player.queue_full": "Die Warteschlange ist voll. Bitte warte, bis etwas davon gelaufen ist.",
  "filter.none": "Keine Filter: Alles klingt so, wie es gemacht wurde.",
  "filter.now": "Filter: {filters}. `{prefix}filter off` nimmt sie weg.",
  "filter.now_stream":
    "Filter: {filters}. `{prefix}filter off` nimmt sie weg. Was jetzt läuft, ist ein Stream, der in seinem eigenen Tempo kommt: Nur das Tempo bleibt bei ihm, wie es ist.",
  "filter.usage":
    "Das geht so: {usage}. Bässe (bass) und Höhen (treble) gehen von -{db} bis {db} dB, ebenso bis zu {bands} Bänder des Equalizers (Frequenz:dB), zusammen aber nirgends mehr als das; das Tempo (speed) von {min} bis {max}, die Tonhöhe (pitch) von -{semitones} bis {semitones} Halbtönen.",
  "filter.bass": "Bässe {value} dB",
  "filter.treble": "Höhen {value} dB",
  "filter.eq": "Equalizer {value} dB",
  "filter.nightcore": "Nightcore",
  "filter.speed": "Tempo {value}",
  "filter.pitch": "Tonhöhe {value} Halbtöne",
  "filter.mono": "mono",
  "filter.night": "Nachtmodus",
  "player.now": "**{title}** – {state} {position} – für {requester}, Lautstärke {volume} %{filters}.",
  "player.now_heard":
    "**{title}** – {state} {position} – für {requester}, Lautstärke {volume} %{filters}, gehört von {heard} von {count}.",
  "player.queue": "{now}\n{list}\n{count} {count?wartet|warten}, zusammen {total}.",
  "player.queue_none": "{now}\nSonst wartet nichts.",
  "player.queue_page":
    "{now}\n{list}\n{count} {count?wartet|warten}, zusammen {total}, Seite {page} von {pages}.",
  "player.queue_line": "{position}. {title} – {requester}",
  "player.queue_line_eta": "{position}. {title} – {requester}, in {eta}",
  "player.history": "Was lief, das Neueste zuerst:\n{list}",
  "player.history_page": "Was lief, das Neueste zuerst, Seite {page} von {pages}:\n{list}",
  "player.no_position": "Einen Platz {position} gibt es nicht: {count} {count?wartet|warten}.",
  "player.removed": "**{title}** ist aus der Warteschlange.",
  "player.removed_many": "{count} Titel sind aus der Warteschlange.",
  "player.moved": "**{title}** ist jetzt auf Platz {position}.",
  "player.cleared": "Was wartete, ist weg ({count}). Was läuft, läuft weiter.",
  "player.shuffled": "Was wartet, ist gemischt ({count}).",
  "player.sought": "**{title}** geht weiter bei {position}.",
  "player.previous": "Zurück zu **{title}**.",
  "player.replayed": "**{title}**, von vorn.",
  "loop.off": "Nichts wird wiederholt.",
  "loop.track": "Dieser Titel wird wiederholt.",
  "loop.queue": "Die ganze Warteschlange wird wiederholt.",
  "lists.saved":
    "{count} Titel {count?ist|sind} als **{name}** aufgehoben. `{prefix}load {name}` holt {count?ihn|sie} wieder.",
  "lists.list": "Listen dieses Raums:\n{list}\n`{prefix}load Name` holt eine in die Warteschlange.",
  "lists.line": "– {name}: {count} Titel, aufgehoben von {by}",
  "lists.removed": "Die Liste **{name}** ist gelöscht.",
  "lists.not_yours":
    "Diese Liste ändern darf nur, wer sie aufgehoben hat, und Leute ab Berechtigungsstufe {level}; du hast {actual}.",
  "lists.not_yours_dj":
    "Diese Liste ändern darf nur, wer sie aufgehoben hat, die DJs dieses Raums (`{prefix}dj`), und Leute ab Berechtigungsstufe {level}; du hast {actual}.",
  "player.damaged":
    "Die Warteschlange, die ich hier aufgehoben hatte, war nicht zu lesen; sie ist jetzt leer. Was da war, liegt beiseite.",
  "player.nothing_waits": "In der Warteschlange ist nichts.",
  "player.limit": "Von dir {limit?wartet|warten} schon {limit} Titel; mehr darf hier niemand haben.",
  "player.no_history": "Davor lief nichts.",
  "player.no_length": "Darin lässt sich nicht springen: Es hat keine Länge.",
  "player.beyond": "Das liegt hinter dem Ende: Es dauert {length}.",
  "lists.nothing": "Es gibt nichts aufzuheben: Nichts läuft oder wartet.",
  "lists.full": "Ich hebe {limit} Listen für einen Raum auf. Bitte lösche erst eine.",
  "lists.unknown": "Es gibt keine Liste {name}. Es gibt: {names}.",
  "lists.unknown_nearest": "Es gibt keine Liste {name}. Meintest du {nearest}?",
  "lists.none": "Ich habe für diesen Raum keine Listen.",
  "lists.damaged": "Die Liste {name} ist nicht mehr zu lesen. Was da war, liegt beiseite.",
  "lists.damaged_all":
    "Die Namen der Listen, die ich hier aufgehoben hatte, waren nicht zu lesen. Was da war, liegt beiseite.",
  // recorder
  "record.started":
    "**Aufnahme läuft.** Was ab jetzt im Sprachkanal gesprochen wird, nehme ich auf, eine Spur je Person; gestartet von {by}. Wer das nicht möchte: mit 🔇 reagieren oder `{prefix}optout` schreiben. `{prefix}record stop` beendet sie.",
  "record.started_opt_in":
    "**Aufnahme läuft.** Ab jetzt nehme ich den Sprachkanal auf, eine Spur für jede Person, die zustimmt; gestartet von {by}. Niemand sonst ist darin. Wer dabei sein möchte: mit ✅ reagieren oder `{prefix}optin` schreiben. `{prefix}record stop` beendet sie.",
  "record.started_titled":
    "**Aufnahme „{title}“ läuft.** Was ab jetzt im Sprachkanal gesprochen wird, nehme ich auf, eine Spur je Person; gestartet von {by}. Wer das nicht möchte: mit 🔇 reagieren oder `{prefix}optout` schreiben. `{prefix}record stop` beendet sie.",
  "record.started_titled_opt_in":
    "**Aufnahme „{title}“ läuft.** Ab jetzt nehme ich den Sprachkanal auf, eine Spur für jede Person, die zustimmt; gestartet von {by}. Niemand sonst ist darin. Wer dabei sein möchte: mit ✅ reagieren oder `{prefix}optin` schreiben. `{prefix}record stop` beendet sie.",
  "record.started_auto":
    "**Aufnahme läuft**, wie dieser Raum eingestellt ist, weil {people} im Sprachkanal sind. Was ab jetzt dort gesprochen wird, nehme ich auf, eine Spur je Person. Wer das nicht möchte: mit 🔇 reagieren oder `{prefix}optout` schreiben. `{prefix}record stop` beendet sie.",
  "record.started_auto_opt_in":
    "**Aufnahme läuft**, wie dieser Raum eingestellt ist, weil {people} im Sprachkanal sind. Eine Spur für jede Person, die zustimmt, niemand sonst ist darin. Wer dabei sein möchte: mit ✅ reagieren oder `{prefix}optin` schreiben. `{prefix}record stop` beendet sie.",
  "record.already": "Es läuft schon eine Aufnahme, seit {length}.",
  "record.none": "Es läuft keine Aufnahme.",
  "record.status":
    "**Aufnahme** seit {length}, bisher {count} {count?Spur|Spuren}, {size}; {free} sind auf der Platte frei.\n{list}",
  "record.status_titled":
    "**Aufnahme „{title}“** seit {length}, bisher {count} {count?Spur|Spuren}, {size}; {free} sind auf der Platte frei.\n{list}",
  "record.status_paused": "Seit {length} unterbrochen: nichts wird aufgenommen.",
  "record.status_gap": "Seit {length} wird nichts aufgenommen; ich versuche weiterzumachen.",
  "record.status_heard": "{name}: zu hören, {level} dBFS",
  "record.status_distorted": "{name}: zu hören, {level} dBFS, zu laut (verzerrt)",
  "record.status_lossy": "{name}: zu hören, {level} dBFS, {percent} % davon gehen unterwegs verloren",
  "record.status_silent": "{name}: seit {length} still",
  "record.status_never": "{name}: noch nicht zu hören",
  "record.status_unconnected": "{name}: keine Verbindung, deshalb nicht zu hören",
  "record.status_out": "{name}: nicht aufgenommen, hat nicht zugestimmt",
  "record.status_more": "und {count} weitere {count?Person|Personen}",
  "record.status_nobody": "Sonst ist niemand im Kanal.",
  "record.interrupted":
    "Ich wurde während der Aufnahme neu gestartet. Sie geht weiter, sobald ich wieder im Sprachkanal bin.",
  "record.exporting": "Die letzte Aufnahme wird aufbereitet ({percent} %).",
  "record.stopped": "Aufnahme nach {length} beendet. Ich bereite die Spuren auf.",
  "record.stopped_limit":
    "Die Aufnahme hat {hours} Stunden erreicht, deshalb habe ich sie beendet. Ich bereite die Spuren auf.",
  "record.stopped_alone":
    "Ich war {minutes} Minuten allein, deshalb habe ich die Aufnahme beendet. Ich bereite die Spuren auf.",
  "record.stopped_empty":
    "Alle sind gegangen, deshalb habe ich die Aufnahme nach {length} beendet. Ich bereite die Spuren auf.",
  "record.stopped_paused":
    "Die Aufnahme war {hours} Stunden angehalten, deshalb habe ich sie beendet. Ich bereite die Spuren auf.",
  "record.stopped_disk":
    "Der Speicherplatz geht zu Ende, deshalb habe ich die Aufnahme beendet. Ich bereite die Spuren auf.",
  "record.stopped_failed":
    "Ich konnte die Aufnahme nicht weiter schreiben ({reason}) und habe sie beendet. Ich bereite auf, was da ist.",
  "record.disk_low":
    "Der Speicherplatz reicht nicht für eine Aufnahme: {free} MB sind frei, ich brauche {needed} MB.",
  "record.empty": "In dieser Aufnahme hat niemand etwas gesagt, deshalb gibt es nichts zu schicken.",
  "record.delivered": "Die Aufnahme: {count} {count?Datei|Dateien}, je {length}.",
  "record.recovered":
    "Ich wurde während der Aufnahme unterbrochen; das ist die Aufnahme bis dahin: {count} {count?Datei|Dateien}, je {length}.",
  "record.too_large":
    "{file} ist größer, als dieser Server annimmt, und bleibt bei mir: {path} in meinem Datenverzeichnis.",
  "record.undelivered":
    "Ich konnte {file} nicht schicken ({reason}). Sie bleibt bei mir: {path} in meinem Datenverzeichnis.",
  "record.export_failed":
    "Ich konnte die Aufnahme {id} nicht aufbereiten ({reason}). Das Aufgenommene bleibt bei mir.",
  "record.gap": "Die Aufnahme hatte eine Lücke von {seconds} s; sie geht weiter.",
  "record.reopened":
    "Ich wurde neu gestartet: Die Aufnahme hatte eine Lücke von {seconds} s; sie geht weiter.",
  "record.reopened_paused":
    "Ich wurde neu gestartet. Die Aufnahme ist noch angehalten: `{prefix}record resume` setzt sie fort, `{prefix}record stop` beendet sie.",
  "record.paused":
    "Aufnahme nach {length} angehalten: Nichts wird aufgenommen, bis jemand `{prefix}record resume` schreibt.",
  "record.unpaused": "Die Aufnahme geht weiter.",
  "record.paused_already": "Die Aufnahme ist schon angehalten.",
  "record.not_paused": "Die Aufnahme ist nicht angehalten.",
  "record.noted": "Notiert bei {at}.",
  "record.notes_full": "In dieser Aufnahme sind schon tausend Notizen; mehr nimmt sie nicht.",
  "record.discard_ask":
    "Das löscht alles, was bisher aufgenommen wurde, für alle. Wenn es so gemeint ist, innerhalb von {seconds} s noch einmal `{prefix}record discard` schreiben.",
  "record.discarded": "Aufnahme nach {length} beendet und gelöscht, von {by}. Hier ist nichts mehr davon da.",
  "record.silent":
    "Von {name} höre ich seit {minutes} Minuten nichts. Ist das Mikrofon an, und das richtige? `{prefix}check` sagt mehr.",
  "record.clipped":
    "Der Ton von {name} ist seit {minutes} Minuten verzerrt: zu laut. Bitte das Mikrofon leiser stellen.",
  "record.name": "🔴 {name} (Aufnahme)",
  "record.name_paused": "⏸️ {name} (Aufnahme angehalten)",
  "record.music": "Musik",
  "record.mix": "Alle",
  "record.part_of": "von",
  "record.delivered_zip": "Die Aufnahme: alles in einer Datei, {length}.",
  "record.summary": "{head}\n{list}",
  "record.summary_title": "Titel: {title}",
  "record.summary_gaps": "Unterbrechungen: {count}, zusammen {length}; dort ist Stille.",
  "record.summary_unclocked": "{name} kam ohne die Uhr des Absenders und liegt weniger genau.",
  "record.summary_silent": "Von {name} ist nichts zu hören.",
  "record.summary_lost": "Von {name} gingen {percent} % der Pakete verloren.",
  "record.summary_clipped": "{name} ist {length} lang übersteuert.",
  "record.summary_erased": "Spuren, die auf Wunsch gelöscht wurden: {count}.",
  "record.summary_note": "{at} {text} ({name})",
  "record.summary_more_notes": "und {count} weitere {count?Notiz|Notizen}",
  "record.summary_number": "Sie ist Nummer {number} in `{prefix}recordings`.",
  "recordings.none": "Von diesem Raum habe ich keine Aufnahmen. `{prefix}record start` beginnt eine.",
  "recordings.list": "Aufnahmen dieses Raums:\n{list}",
  "recordings.list_more": "Die neuesten Aufnahmen dieses Raums, von {count}:\n{list}",
  "recordings.line": "**{number}** {title} – {when}, {length}, {state}, {size}, {kept}",
  "recordings.details": "{line}\nBegonnen von {by}, Notizen: {notes}, Ordner: {id}\n{list}",
  "recordings.unknown": "Eine Aufnahme {number} dieses Raums habe ich nicht.",
  "recordings.runs": "Diese Aufnahme läuft noch.",
  "recordings.not_yours":
    "Das darf nur, wer die Aufnahme begonnen hat, und Leute ab Berechtigungsstufe {level}.",
  "recordings.resending": "Ich schicke Aufnahme {number} noch einmal.",
  "recordings.kept": "Aufnahme {number} bleibt, bis jemand sie löscht.",
  "recordings.unkept": "Aufnahme {number} wird wieder bis {day} aufgehoben.",
  "recordings.kept_on": "bleibt",
  "recordings.kept_ever": "wird aufgehoben",
  "recordings.kept_until": "bis {day} aufgehoben",
  "recordings.delete_ask":
    "Das löscht Aufnahme {title} endgültig von meiner Platte. Sag innerhalb von zwei Minuten noch einmal `{prefix}recordings delete {number}`, wenn du das willst.",
  "recordings.deleted":
    "Aufnahme {number} ist hier gelöscht. Was gesendet wurde, bleibt im Raum, bis es jemand dort entfernt.",
  "recordings.state_recording": "läuft",
  "recordings.state_recorded": "wird vorbereitet",
  "recordings.state_exported": "wird gesendet",
  "recordings.state_delivered": "im Raum",
  "recordings.state_empty": "leer",
  "recordings.state_failed": "nicht alles gesendet",
  "recordings.state_deleted": "gelöscht",
  "recordings.redacted_all":
    "Die Aufnahme wurde aus dem Raum entfernt, also habe ich hier alles davon gelöscht. Der Homeserver hat vielleicht noch seine Kopie der Dateien: Das ist Sache seines Administrators.",
  "recordings.redacted_all_gone":
    "Die Aufnahme wurde aus dem Raum entfernt, also habe ich hier alles davon gelöscht, und die Kopie der Dateien auf dem Homeserver.",
  "recordings.redacted_all_some":
    "Die Aufnahme wurde aus dem Raum entfernt, also habe ich hier alles davon gelöscht. Die Kopie auf dem Homeserver konnte ich nicht ganz löschen: Bitte frag seinen Administrator.",
  "recordings.redacted_tracks":
    "Aus dem Raum entfernt und darum auch hier gelöscht, mit dem, woraus sie gemacht waren: {names}. Der Homeserver hat vielleicht noch seine Kopie davon: Das ist Sache seines Administrators. In einer Mischung sind sie noch.",
  "recordings.redacted_tracks_gone":
    "Aus dem Raum entfernt und darum auch hier gelöscht, mit dem, woraus sie gemacht waren, und der Kopie auf dem Homeserver: {names}. In einer Mischung sind sie noch.",
  "recordings.redacted_tracks_some":
    "Aus dem Raum entfernt und darum auch hier gelöscht, mit dem, woraus sie gemacht waren: {names}. Die Kopie auf dem Homeserver konnte ich nicht ganz löschen: Bitte frag seinen Administrator. In einer Mischung sind sie noch.",
  "recordings.foretold":
    "Diese Aufnahmen lösche ich an dem Tag von meiner Platte, der hinter ihnen steht:\n{list}\n`{prefix}recordings keep {number}` hebt eine auf; was gesendet wurde, bleibt im Raum.",
  "record.voices": "Stimmen",
  // files of an export
  "export.heading": "Aufnahme eines Sprachkanals",
  "export.started": "Begonnen am {when} von {name}",
  "export.length": "Länge: {length}; alle Dateien beginnen im selben Augenblick und sind gleich lang",
  "export.consent_opt_out": "Einwilligung: Aufgenommen wurden alle, die nicht widersprochen haben",
  "export.consent_opt_in": "Einwilligung: Aufgenommen wurden nur die, die zugestimmt haben",
  "export.tracks": "Dateien",
  "export.what_voice": "die Stimme einer Person",
  "export.what_music": "die Musik des Bots",
  "export.what_mix": "alles, was zu hören war",
  "export.what_voices": "alle Stimmen, ohne die Musik",
  "export.speech": "Wer gesprochen hat",
  "export.speech_line": "{name}: {talk} in {turns} Beiträgen, davon {overlap}, während andere sprachen",
  "export.course": "Was wann geschah",
  "export.mark_note": "{text} ({name})",
  "export.mark_joined": "{name} kam",
  "export.mark_left": "{name} ging",
  "export.mark_gap": "Lücke von {length}: Es wurde nichts aufgenommen",
  "export.mark_paused": "{length} Pause, herausgeschnitten",
  "export.mark_removed": "Eine Spur wurde gelöscht, weil die Person darum gebeten hat",
  "export.beginning": "Anfang",
  "export.no_mix": "Es gibt keine Mischung: {reason}",
  "export.unreadable": "Dateien, die nicht zu lesen waren: {count}",
  "export.report": "Wie gut jede Spur ist",
  "export.place":
    "Lage in der Zeit: auf {uncertainty} ms bekannt, diese Datei weicht höchstens {residue} ms ab",
  "export.place_best_effort":
    "Lage in der Zeit: so gut es ging, die Uhr des Senders kam nicht mit (auf {uncertainty} ms bekannt, diese Datei weicht höchstens {residue} ms ab)",
  "export.drift": "Uhr: geht {ppm} ppm vor, {steps} eigene Sprünge",
  "export.drift_unknown": "Uhr: zu kurz gehört, um zu sagen, wie schnell sie geht",
  "export.round_trip": "Weg zum Bot und zurück: {ms} ms",
  "export.loss": "Pakete: {received} empfangen, {lost} verloren ({percent} %)",
  "export.unusable": "Pakete, die nicht zu gebrauchen waren: {count}",
  "export.gaps": "Lücken von mehr als 120 ms: {count}, zusammen {length}",
  "export.level": "Pegel: {loud} dBFS, wo etwas zu hören ist, Spitze {peak} dBFS",
  "export.level_none": "Pegel: Es ist gar nichts zu hören",
  "export.clipping": "Übersteuert: {ms} ms",
  "export.silence": "Still: {percent} % der Zeit",
  // consent
  "consent.joined":
    "{name}, in diesem Sprachkanal läuft eine Aufnahme. Wer darin nicht vorkommen möchte: `{prefix}optout`.",
  "consent.joined_opt_in":
    "{name}, in diesem Sprachkanal läuft eine Aufnahme, nur mit denen, die zustimmen: `{prefix}optin`.",
  "consent.stricter":
    "Ab jetzt ist nur noch in der Aufnahme, wer zustimmt: hierauf mit ✅ reagieren oder `{prefix}optin` schreiben.",
  "consent.out": "Ab jetzt nicht in der Aufnahme: {names}.",
  "consent.in": "Ab jetzt in der Aufnahme: {names}.",
  "consent.out_recording":
    "Ab jetzt ist nichts von dir in dieser Aufnahme. `{prefix}optout delete` entfernt auch, was du schon gesagt hast, `{prefix}optout always` gilt für jede Aufnahme in diesem Raum, `{prefix}optin` nimmt es zurück.",
  "consent.out_next":
    "Gerade läuft keine Aufnahme. In der nächsten kommst du nicht vor. `{prefix}optout always` gilt für jede Aufnahme in diesem Raum, `{prefix}optin` nimmt es zurück.",
  "consent.out_room":
    "Ab jetzt ist nichts von dir in irgendeiner Aufnahme in diesem Raum, bis du `{prefix}optin` schreibst.",
  "consent.in_recording": "Ab jetzt bist du in dieser Aufnahme. `{prefix}optout` nimmt es zurück.",
  "consent.in_next":
    "Gerade läuft keine Aufnahme. Du stimmst der nächsten zu. `{prefix}optout` nimmt es zurück.",
  "consent.in_room":
    "Ab jetzt stimmst du jeder Aufnahme in diesem Raum zu, bis du `{prefix}optout always` schreibst.",
  "consent.deleted":
    "Entfernt: was du in {count} noch nicht verschickten {count?Aufnahme|Aufnahmen} gesagt hast ({files} {files?Datei|Dateien}). Ab jetzt ist nichts von dir darin.",
  "consent.deleted_some":
    "Entfernt: was du in {count} {count?Aufnahme|Aufnahmen} gesagt hast ({files} {files?Datei|Dateien}). {sent} {sent?Datei|Dateien} mit deiner Stimme {sent?war|waren} schon im Raum: Wer moderiert, kann {sent?diese Nachricht|diese Nachrichten} entfernen.",
  "consent.deleted_nothing":
    "Ich hatte nichts von dir, was noch nicht verschickt war. Ab jetzt nehme ich nichts von dir auf, in dieser Aufnahme oder der nächsten.",
  "consent.delete_failed":
    "Ab jetzt nehme ich nichts von dir auf, konnte aber nicht alles Bisherige entfernen ({reason}). Bitte sag es denen, die mich betreiben.",
  "consent.unsure":
    "Ab jetzt nehme ich nichts von dir auf, konnte es aber nicht festhalten ({reason}): nach einem Neustart wüsste ich es nicht mehr. Bitte schreib es später noch einmal.",
  "consent.full": "Zu viele haben hier schon etwas zu Aufnahmen gesagt; mehr kann ich mir nicht merken.",
  "consent.too_often":
    "Du hast dich in dieser Aufnahme oft umentschieden, deshalb bleibt es dabei: du bist nicht darin.",
  // clips and automatic recording
  "clip.off":
    "Clips sind in diesem Raum aus. Die Moderation kann sie mit `{prefix}settings clip on` einschalten: Dann halte ich die letzten zwei Minuten derer, die zustimmen, im Speicher.",
  "clip.alone": "Außer mir ist niemand im Sprachkanal, also gibt es nichts für einen Clip.",
  "clip.nothing": "Ich habe zuletzt niemanden gehört, der mit Clips einverstanden ist; es gibt also keinen.",
  "clip.busy": "Ich mache gerade schon einen Clip. Bitte versuche es gleich noch einmal.",
  "clip.seconds": "Ein Clip hat 1 bis {limit} Sekunden.",
  "clip.kept":
    "Solange ich im Sprachkanal bin, sind dessen letzte zwei Minuten in meinem Speicher, von denen, die zustimmen, und nirgends sonst, bis `{prefix}clip` sie hierher schickt. `{prefix}optout always` hält deine Stimme heraus, `{prefix}optin` nimmt sie hinein.",
  "clip.joined":
    "{name}, die letzten zwei Minuten dieses Sprachkanals sind für `{prefix}clip` in meinem Speicher. Wer das nicht will: `{prefix}optout always`.",
  "clip.delivered": "Die letzten {length} des Sprachkanals, für {by}.",
  "clip.title": "Clip",
  "record.auto_failed":
    "Ich soll hier von selbst aufnehmen und konnte es nicht: {reason} Ich lasse es, bis alle gegangen und wiedergekommen sind; `{prefix}record start` versucht es jetzt.",
  // settings
  "settings.list":
    "Was in diesem Raum eingestellt werden kann:\n{list}\n`{prefix}settings Name Wert` ändert etwas davon.",
  "settings.line": "{name} = {value}, die Vorgabe ({allowed}): {meaning}",
  "settings.line_changed": "{name} = {value}, Vorgabe {standard} ({allowed}): {meaning}",
  "settings.one":
    "**{name}** ist {value}: {meaning}. Möglich ist {allowed}, die Vorgabe ist {standard}. `{prefix}settings {name} Wert` ändert es, ab Berechtigungsstufe {power}.",
  "settings.changed": "{by} hat **{name}** auf {value} gesetzt (vorher: {before}): {meaning}.",
  "settings.changed_note": "{by} hat **{name}** auf {value} gesetzt (vorher: {before}): {meaning}. {note}",
  "settings.same": "**{name}** ist schon {value}.",
  "settings.bad_value": "**{name}** kann nicht „{value}“ sein. Möglich ist: {allowed}.",
  "settings.unknown": "Eine Einstellung „{name}“ gibt es nicht. Es gibt: {names}.",
  "settings.unknown_nearest": "Eine Einstellung „{name}“ gibt es nicht. Meintest du {nearest}?",
  "settings.damaged":
    "Was in diesem Raum für {names} eingestellt war, ließ sich nicht lesen und steht jetzt wieder auf der Vorgabe. `{prefix}settings` zeigt es.",
  "settings.damaged_all":
    "Was in diesem Raum eingestellt war, ließ sich nicht lesen; alles steht jetzt wieder auf der Vorgabe. `{prefix}settings` zeigt es.",
  "settings.next_recording":
    "Die laufende Aufnahme geht weiter, wie sie begonnen hat; das gilt für die nächste.",
  "settings.stricter_now":
    "Für die laufende Aufnahme gilt das sofort: Von jetzt an sind nur noch die darin, die zustimmen.",
  "settings.clip_on":
    "Von jetzt an ist in meinem Speicher, was in den letzten zwei Minuten gesagt wurde, solange ich im Sprachkanal bin, und nirgends sonst, bis `{prefix}clip` es hierher schickt. `{prefix}optout always` hält deine Stimme heraus, `{prefix}optin` nimmt sie hinein.",
  "settings.clip_off": "Was ich im Speicher hatte, ist gelöscht.",
  "settings.language": "die Sprache, die ich hier spreche",
  "settings.record_consent": "wer aufgenommen wird: alle, die nicht ablehnen, oder nur, wer zustimmt",
  "settings.record_format": "was die Dateien von Aufnahmen sind: opus, wie es kam, flac oder wav",
  "settings.record_delivery": "ob eine Aufnahme in einzelnen Spuren kommt oder als ein ZIP",
  "settings.record_auto": "ab wie vielen Leuten im Sprachkanal ich von selbst komme und aufnehme",
  "settings.clip":
    "ob ich die letzten zwei Minuten des Sprachkanals im Speicher halte, von denen, die zustimmen, für `{prefix}clip`",
  "settings.record_keep_days":
    "wie viele Tage ich eine Aufnahme nach dem Verschicken behalte; 0: so lange, wie es vorgibt, wer mich betreibt",
  "settings.by_command": "**{name}** ändert man mit `{command}`.",
  "settings.volume_max": "wie laut man es hier stellen darf, in Prozent",
  "settings.duck":
    "ob die Musik leiser wird, solange jemand spricht; eine Zahl: um wie viele Dezibel (on: 12)",
  "settings.loudness":
    "ob alle Titel gleich laut gespielt werden, wie sie auch gemacht sind; eine Zahl: wie laut, in LUFS (on: -16)",
  "settings.vote_skip":
    "welcher Anteil der Leute im Sprachkanal, in Prozent, einen Titel überspringen wollen muss, um den jemand anderes gebeten hat; off: keine Abstimmungen",
  "settings.card": "ob eine Nachricht mit Knöpfen zeigt, was läuft (plain: ohne Bild)",
  "settings.dj": "wer bei der Musik darf, was die Moderation darf",
  "settings.bots":
    "welche anderen Bots hier sind: Im Sprachkanal zählen sie nicht als Leute, und ich höre nicht auf sie",
  "settings.levels":
    "welche Berechtigungsstufen einzelne Befehle hier brauchen, wo es nicht die üblichen sind",
  "settings.fair": "ob alle in der Warteschlange reihum drankommen, wie viel auch jemand hinzufügt",
  "settings.max_per_person": "wie viele Titel von einer Person warten dürfen; 0: so viele hineinpassen",
  // help: one line for each command
  "dj.none":
    "Dieser Raum hat keine DJs. Moderatorinnen und Moderatoren ernennen welche mit `{prefix}dj add @name`: DJs dürfen bei der Musik, was die Moderation darf.",
  "dj.list": "DJs dieses Raums: {names}.",
  "dj.added": "DJ in diesem Raum: {names}.",
  "dj.removed": "Nicht mehr DJ: {names}.",
  "dj.unknown":
    "Ich finde in diesem Raum niemanden namens {name}. Eine Kennung wie `@name:server` geht immer.",
  "dj.is_none": "{name} ist in diesem Raum kein DJ.",
  "level.none":
    "Jeder Befehl braucht die Berechtigungsstufe, die er von sich aus braucht. `{prefix}level stop 25` setzt für einen in diesem Raum eine andere.",
  "level.list":
    "Berechtigungsstufen, die dieser Raum für einzelne Befehle gesetzt hat:\n{list}\n`{prefix}level stop 25` setzt eine, `{prefix}level stop default` nimmt sie zurück.",
  "level.line": "{prefix}{name}: {level}",
  "level.set": "`{prefix}{name}` braucht in diesem Raum ab jetzt Berechtigungsstufe {level}.",
  "level.set_others":
    "`{prefix}{name}` braucht in diesem Raum ab jetzt Berechtigungsstufe {level}, außer für eigene Titel und für jemanden, der allein im Kanal ist.",
  "level.default": "`{prefix}{name}` braucht wieder, was es von sich aus braucht.",
  "level.pinned": "Die Stufe von `{prefix}{name}` bleibt, wie sie ist.",
  "level.above": "Dafür braucht es Berechtigungsstufe {level}; du hast {actual}.",
  "help.list": "Was ich kann (in Klammern die Kurzformen):\n{list}",
  "help.one": "{usage}\n{text}",
  "help.join": "kommt in den Sprachkanal",
  "help.leave": "verlässt den Sprachkanal",
  "help.play":
    "spielt eine Datei oder Playlist des Medienordners nach ihrem Namen, was an einer Webadresse ist, oder eine Audiodatei oder Playlist: als deren Bildunterschrift, als Antwort darauf, oder allein für deine neueste",
  "help.search":
    "sucht im Medienordner nach Titel, Künstler, Album und Dateiname, und mit yt-dlp auf YouTube; eine Nummer spielt davon ab",
  "help.radio":
    "spielt einen Radiosender nach seinem Namen oder seiner Adresse; allein zählt es die Namen auf",
  "help.skip": "springt zum nächsten Titel, oder um so viele weiter; bei fremden Titeln eine Stimme dafür",
  "help.stop": "hält an und leert die Warteschlange",
  "help.pause": "macht Pause",
  "help.resume": "macht weiter",
  "help.filter":
    "zeigt oder ändert, wie die Musik klingt: Bässe, Höhen, Equalizer, Tempo, Tonhöhe, Nightcore, mono, ein Nachtmodus",
  "help.volume": "zeigt oder setzt die Lautstärke, 0 bis 200; mit `me` nur für dich",
  "help.queue": "zeigt, was wartet, zehn Titel je Seite",
  "help.nowplaying": "zeigt, was läuft",
  "help.playnext": "wie play, aber vor allem, was wartet",
  "help.forceskip": "springt zum nächsten Titel, oder um so viele weiter, ohne jemanden zu fragen",
  "help.seek": "springt im Titel zu einer Zeit, oder so weit vor oder zurück",
  "help.replay": "fängt den Titel von vorn an",
  "help.previous": "geht zurück zu dem, was davor lief",
  "help.loop": "wiederholt den Titel, die ganze Warteschlange oder nichts; ohne Wort: zeigt, was gilt",
  "help.history": "zeigt, was lief",
  "help.remove": "nimmt Titel aus der Warteschlange",
  "help.move": "setzt einen Titel auf einen anderen Platz der Warteschlange",
  "help.shuffle": "mischt, was wartet",
  "help.clear": "leert die Warteschlange; was läuft, läuft weiter",
  "help.save": "hebt auf, was läuft und wartet, als Liste dieses Namens",
  "help.load": "holt die Titel einer Liste in die Warteschlange",
  "help.lists": "zeigt die Listen dieses Raums",
  "help.unlist": "löscht eine Liste",
  "help.record": "nimmt den Sprachkanal auf: eine Spur je Person und eine Mischung",
  "help.recordings":
    "zeigt die Aufnahmen dieses Raums; schickt eine noch einmal, hebt sie auf oder löscht sie",
  "help.optout":
    "hält dich aus dieser Aufnahme heraus, oder aus allen in diesem Raum (always); entfernt, was du gesagt hast (delete)",
  "help.optin": "stimmt dieser Aufnahme zu, oder allen in diesem Raum (always), und nimmt ein optout zurück",
  "help.clip": "schickt, was in den letzten Sekunden gesagt wurde, wo der Raum das eingeschaltet hat",
  "help.settings": "zeigt, was in diesem Raum eingestellt ist, erklärt oder ändert es",
  "help.help": "zeigt das hier, oder mehr über einen Befehl",
  "help.dj":
    "zeigt die DJs dieses Raums, die bei der Musik dürfen, was die Moderation darf; ernennt oder streicht welche",
  "help.level": "zeigt oder setzt, welche Berechtigungsstufe ein Befehl in diesem Raum braucht",
  "help.check": "zeigt, wie alle verbunden sind und was nicht stimmt",
  "help.ping": "antwortet",
  "help.status": "zeigt, wie es mir geht: Version, Homeserver, Speicher, was wartet",
  "state.playing": "läuft",
  "state.live": "live",
  "state.paused": "angehalten",
};

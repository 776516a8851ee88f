/** Every text for people, in English. Keys are grouped by who says them; parameters in braces. */
export const en = {
  "error.internal": "Something went wrong on my side ({code}). It is in my log; please try again.",
  "error.not_permitted": "Only people with power level {level} or more may do that here; you have {actual}.",
  "error.not_yours":
    "Only who asked for the tracks, who is alone in the voice channel with me, or people with power level {level} or more may do that here; you have {actual}.",
  "error.not_permitted_dj":
    "Only DJs of this room (`{prefix}dj`) and people with power level {level} or more may do that here; you have {actual}.",
  "error.not_yours_dj":
    "Only who asked for the tracks, who is alone in the voice channel with me, DJs of this room (`{prefix}dj`), or people with power level {level} or more may do that here; you have {actual}.",
  "error.homeserver": "The homeserver did not take that ({reason}). Please try again.",
  "media.upload_too_large": "The homeserver takes files of up to {limit} MB, and this one has {size} MB.",
  "media.download_too_large": "That file has {size} MB; I take files of up to {limit} MB.",
  "media.not_there": "That file is not there (any more). Please upload it again.",
  "error.media_plane_down": "My audio part is restarting. Please try again in a few seconds.",
  "error.ffmpeg_missing":
    "I cannot read audio files: the program ffmpeg is missing where I run. Whoever runs me has to install it.",
  "error.media_unreadable": "I cannot read that file as audio. Please try another file or format.",
  "room.encrypted":
    "This room is encrypted, and I cannot work in encrypted rooms. Please invite me to one without encryption.",
  "room.moved":
    "This room has been replaced by a new one. I have moved there, with the queue and all that I keep for this room.",
  "room.move_refused":
    "This room has been replaced by a new one, which does not let me in. Please invite me there; until then I stay here.",
  "room.store_lost":
    "What I had kept could not be read any more and is set aside: queue, lists, settings, and who does not want to be recorded are as on the first day here. Until they agree I record nobody. Recordings are not lost. `{prefix}join` brings me back into the channel.",
  "room.moved_here": "Here I am, with the queue and all that I kept for the old room.",
  "room.power":
    "I cannot join the voice channel here: sending `{event}` needs power level {needed}, and I have {actual}. A moderator can give me level {needed}, or set `{event}` to {suggested} in the room's permissions.",
  "room.hello":
    "Hello! I play music into this room's voice channel and record it. Join the channel and say `{prefix}play name`, or `{prefix}help` for everything I can do.",
  "room.hello_missing":
    "Hello! I play music into voice channels and record them. Here something is missing:\n{list}\nOnce that is changed, join the channel and say `{prefix}play name`; `{prefix}help` shows everything I can do.",
  "missing.bot_channel":
    "I cannot join the voice channel: sending {event} needs power level {needed}, and I have {actual}. A moderator can set it to {suggested} in the room's power levels, or give me level {needed}.",
  "missing.bot_talk":
    "I cannot answer in the chat: sending {event} needs power level {needed}, and I have {actual}. A moderator can give me level {needed}.",
  "missing.members_channel":
    "Members cannot be in the voice channel: sending {event} needs power level {needed}, and they have {actual}. A moderator can set it to {suggested} in the room's power levels.",
  "missing.members_talk":
    "Only people with power level {needed} or more can write here, so only they can give me commands.",
  "missing.grant":
    "Whoever runs me is told exactly what to set, click by click, by: matrix-voice-bot room grant '{room}'",
  "missing.rate_limit":
    "The homeserver takes only a few events a minute of me, so my answers may come late. Whoever runs the server can exempt me.",
  // commands: who may and how
  "command.unknown_nearest": "I do not know `{prefix}{name}`. Did you mean `{prefix}{nearest}`?",
  "command.unknown": "I do not know `{prefix}{name}`. `{prefix}help` lists what I can do.",
  "command.too_many":
    "That is more than I take from one person at a time. I listen to you again in a moment.",
  "command.usage": "That is used like this: {usage}",
  "command.not_in_channel": "I am not in the voice channel. `{prefix}join` brings me in.",
  "channel.empty": "Nobody is in the voice channel. Join it, and say `{command}` again.",
  "channel.joined": "I am in the voice channel.",
  "channel.left": "I have left the voice channel.",
  "channel.alone":
    "Nobody has been in the voice channel with me for {minutes} minutes, so I left it. The queue stays; `{prefix}play` or `{prefix}join` brings me back.",
  "channel.key_overwritten":
    "{user} overwrote my entry in the voice channel. I wrote it again; should that go on, a moderator can raise the power level for `de.mtorials.test.callstate`.",
  "channel.key_taken":
    "{user} and {owner} both use the device name “{name}” in the voice channel, so only {owner} is heard. {user}, please choose another name and join again.",
  "channel.lost":
    "My audio part did not come back, so I left the voice channel. Please let me join again later.",
  "channel.refresh_forbidden":
    "I am not allowed to be in the voice channel any more, so I left it. A moderator can lower the power level for `de.mtorials.test.callstate` or raise mine.",
  "channel.not_in_room": "I am not in that room any more.",
  ping: "Here, {ms} ms after you wrote.",
  // words of how commands are used
  "usage.name": "name",
  "usage.page": "page",
  "usage.words": "words",
  "usage.station": "name or address",
  "usage.title": "title",
  "usage.text": "text",
  "usage.value": "value",
  "usage.command": "command",
  // status
  "status.list": "How I am:\n{list}",
  "status.version": "version {version}, running for {uptime}",
  "status.sync": "the homeserver last answered {seconds} s ago",
  "status.unlimited": "no rate limit in the last ten minutes ({count} {count?refusal|refusals} in all)",
  "status.limited":
    "the homeserver limits me at the moment ({count} {count?refusal|refusals} in all): answers and refreshes come later",
  "status.rooms":
    "in {rooms} {rooms?room|rooms}, and in {channels} voice {channels?channel|channels} with {people} {people?person|people}",
  "status.media": "audio processes: {count} ({engine}), {mb} MB, {failures} unexpected {failures?end|ends}",
  "status.media_asleep":
    "audio processes: none needed at the moment, {failures} unexpected {failures?end|ends}",
  "status.memory": "memory: {mb} MB",
  "status.recordings":
    "recordings: {running} running, {waiting} to prepare or send, {kept} {kept?file|files} not sent",
  "status.levels": "loudness: {waiting} of the media folder's {files} files are still to be measured",
  // check: how it stands with the channel
  "check.list": "{list}",
  "check.phase_in": "I have been in the voice channel for {time}",
  "check.phase_out": "I am not in the voice channel",
  "check.phase_joining": "I have been on my way into the voice channel for {time}",
  "check.phase_leaving": "I am leaving the voice channel",
  "check.is_silent": "nothing plays",
  "check.is_playing": "playing",
  "check.is_paused": "paused",
  "check.members": "others there: {count}",
  "check.heard": "heard by {heard} of {count}",
  "check.engine": "engine {engine}",
  "check.encoder": "{kbits} kbit/s",
  "check.encoder_fec": "{kbits} kbit/s, protected against {percent} % of loss",
  "check.synced": "homeserver heard {time} ago",
  "check.waiting": "{count} {count?message waits|messages wait} to be sent",
  "check.bot_out": "I am not in the voice channel: `{prefix}join` or `{prefix}play` brings me in.",
  "check.bot_joining":
    "I have been trying to get into the voice channel for {time}: the homeserver may be slow, or hold my messages back.",
  "check.plane_down":
    "My audio part is down and being started again. If that goes on, whoever runs me finds the reason in my log.",
  "check.plane_silent":
    "My audio part does not answer. If that goes on, whoever runs me should look at my log.",
  "check.machine_busy":
    "The machine I run on does not keep up ({percent} % of my sound is late): whoever runs me should give it more CPU.",
  "check.sync_late":
    "The homeserver has not answered me for {time}, so I do not see who joins: is it up, and the network between us?",
  "check.rate_limited":
    "The homeserver's rate limit holds back {count} of my messages (up to {time} so far), so connecting takes long. An administrator can lift it: `POST /_synapse/admin/v1/users/{userId}/override_ratelimit` with `messages_per_second` and `burst_count` 0.",
  "check.outbox_stuck":
    "{count} of my messages have not got through to the homeserver for {time}: is it up, and the network between us?",
  "check.nobody_there": "I am playing, and nobody is in the voice channel.",
  "check.nobody_hears": "I am playing, and nobody hears it. The reasons are below.",
  "check.volume_zero": "The volume is 0 %: `{prefix}volume 100` makes me heard.",
  "check.paused": "What plays is paused: `{prefix}resume` goes on.",
  "check.recording": "A recording has been running for {time}.",
  "check.link_connected": "connected for {time}",
  "check.link_interrupted": "interrupted",
  "check.link_connecting": "connecting for {time}",
  "check.link_expected": "not connected for {time}",
  "check.link_answering": "not connected for {time}",
  "check.link_offering": "not connected for {time}",
  "check.link_offered": "not connected for {time}",
  "check.link_given_up": "not connected for {time}",
  "check.link_apart": "in the channel",
  "check.direct": "direct",
  "check.direct_host": "direct (host)",
  "check.direct_nat": "direct (through NAT)",
  "check.relayed": "relayed",
  "check.relayed_ours": "relayed (my TURN server)",
  "check.relayed_theirs": "relayed (their TURN server)",
  "check.round_trip": "{ms} ms there and back",
  "check.lost_ours": "lost of mine {recent} % (in all {all} %)",
  "check.redundancy": "{count} sent again with each packet",
  "check.lost_theirs": "of theirs {recent} % (in all {all} %)",
  "check.jitter_ms": "jitter {ms} ms",
  "check.voice_none": "has sent nothing",
  "check.voice_since": "has sent nothing for {time}",
  "check.voice_muted": "muted",
  "check.voice_dtx": "silent (sends only signs of life)",
  "check.voice_unknown": "level not known",
  "check.voice_level": "{level} dBFS",
  "check.voice_quiet": "silent ({level} dBFS)",
  "check.interrupted":
    "Nothing arrives from {name} any more: their network is gone, or their device sleeps. I try again by myself.",
  "check.answer_limited":
    "My message to {name} has been waiting for {time}, because the homeserver limits how many I may send.",
  "check.answer_late": "My answer to {name} has not got through to the homeserver for {time}.",
  "check.no_way":
    "{name} has been connecting for {time}: their network probably lets no UDP through; whoever runs me can configure a TURN server (`VOICEBOT_ICE_SERVERS`).",
  "check.no_way_relay":
    "{name} has been connecting for {time}, and not even through a TURN server a way was found: is it up, and can {name} and I both reach it?",
  "check.private":
    "{name} has been connecting for {time}, and named only addresses in private networks, which I do not contact: whoever runs me can allow those of my own network (`VOICEBOT_ICE_LOCAL_SUBNETS`) or configure a TURN server (`VOICEBOT_ICE_SERVERS`).",
  "check.never_offered":
    "{name} is in the channel and has not offered a connection or answered mine for {time}: probably a client without WebRTC, or a sleeping tab. Leaving and joining again helps if it is neither.",
  "check.no_answer":
    "{name} has not answered my offers for {time}: leaving the channel and joining again, or reloading the page, should help.",
  "check.loss_out": "{percent} % of what I send to {name} is lost: their network is weak.",
  "check.loss_in": "{percent} % of what {name} says is lost on its way to me: their network is weak.",
  "check.unheard":
    "Nothing that I send seems to reach {name} (no report for {time}): is sound allowed on their side? Leaving and joining again should help.",
  "check.slow": "The way to {name} and back takes {ms} ms, so talking is hard.",
  "check.jitter": "Packets between {name} and me come unevenly (by {ms} ms): a weak network, often wireless.",
  "check.sends_nothing":
    "{name} has sent no sound at all: no microphone was chosen or allowed, or they only listen.",
  "check.sent_nothing_since":
    "{name} has sent nothing for {time}: their microphone is off, or their tab sleeps.",
  "check.muted": "{name} sends pure silence: their microphone is muted.",
  "check.heard_nothing": "I have heard nothing from {name} for {time}: their microphone may be muted.",
  "check.quiet": "{name} is very quiet ({level} dBFS): closer to the microphone, or more gain.",
  "check.loud": "{name} is too loud ({level} dBFS) and probably distorted: less gain.",
  "check.more_fine": "and {count} more, all fine",
  "check.more": "and {count} more",
  // player
  "stream.not_hls": "its address leads to no HLS playlist that I can read",
  "stream.not_audio": "its address leads to something else than audio",
  "stream.no_audio": "there is no audio in it",
  "stream.too_long": "its playlist is too long for me",
  "stream.encrypted": "it is encrypted in a way that I cannot read",
  "stream.ended": "its server ended it",
  "stream.broken": "parts of it cannot be read",
  "stream.still": "nothing new comes of it",
  "radio.list": "Radio stations:\n{list}",
  "radio.none": "There is no list of stations here. Give me the address of one.",
  "radio.unknown": "I know no station called {query}. Those I know:\n{names}",
  "radio.none_known": "I know no station called {query}. Give me the address of one.",
  "play.now": "Now playing **{title}**.",
  "play.queued": "Added **{title}** to the queue at position {position}.",
  "play.queued_eta": "Added **{title}** to the queue at position {position}, in about {eta}.",
  "play.queued_again": "Added **{title}** to the queue once more, at position {position}.",
  "play.queued_eta_again":
    "Added **{title}** to the queue once more, at position {position}, in about {eta}.",
  "play.many_limit":
    "Added {count} {count?track|tracks} of **{title}** to the queue. One person may have no more in it here; left out: {left}.",
  "play.not_found": "I found nothing called {query} in the media folder.",
  "play.not_found_nearest":
    "I found nothing called {query}. The nearest are, and a number plays one:\n{names}",
  "play.ambiguous": "{count} files match {query}. Which one? Answer with its number.\n{names}",
  "play.many": "Added {count} {count?track|tracks} of **{title}** to the queue.",
  "play.many_left":
    "Added {count} {count?track|tracks} of **{title}** to the queue; {left} more did not fit.",
  "play.many_partly": "Added {count} of {total} from **{title}**; {failed} could not be used:\n{names}",
  "play.many_partly_left":
    "Added {count} of {total} from **{title}**; {left} more did not fit, and {failed} could not be used:\n{names}",
  "ytdlp.missing":
    "There is no sound at that address. Pages of music and video sites play where yt-dlp is installed: whoever runs me does that by `python3 -m pip install yt-dlp`.",
  "ytdlp.off": "There is no sound at that address, and pages of music and video sites are switched off here.",
  "ytdlp.failed": "I could not get that from {host}: {reason}",
  "ytdlp.failed_old":
    "I could not get that from {host}: {reason} – My yt-dlp is {days} days old, which is often why. Whoever runs me updates it by `python3 -m pip install --upgrade yt-dlp`, or `yt-dlp -U`.",
  "ytdlp.unsupported": "I found nothing to play at that address of {host}.",
  "ytdlp.unsupported_old":
    "I found nothing to play at that address of {host}. My yt-dlp is {days} days old, which may be why. Whoever runs me updates it by `python3 -m pip install --upgrade yt-dlp`, or `yt-dlp -U`.",
  "ytdlp.no_answer":
    "I do not understand what yt-dlp answers. Whoever runs me should update it: `python3 -m pip install --upgrade yt-dlp`, or `yt-dlp -U`.",
  "ytdlp.late": "yt-dlp was not done after {seconds} s. Please try again later.",
  "ytdlp.live": "**{title}** is a live stream, which I cannot take from there.",
  "ytdlp.too_long": "**{title}** is longer than {hours} hours.",
  "ytdlp.no_file": "There is no sound in it that I can take, or it has more than {limit} MB.",
  "playlist.too_large": "That playlist is too long: I read up to {limit} MB of one.",
  "playlist.is_stream":
    "That is the index of a live stream, not a list of tracks. Please give me its address instead.",
  "playlist.damaged": "I cannot read that playlist: it is damaged, or none. I read m3u, m3u8, pls and xspf.",
  "playlist.empty": "**{title}** has nothing in it.",
  "playlist.nothing": "Nothing in **{title}** could be used:\n{names}",
  "playlist.ambiguous": "{count} playlists match {query}. Which one?\n{names}",
  "playlist.not_found": "I found no playlist called {query} in the media folder.",
  "playlist.line": "{name}: {reason}",
  "playlist.more": "and {count} more",
  "playlist.why_outside": "it is outside of the media folder",
  "playlist.why_scheme": "I open no {scheme} addresses",
  "playlist.why_missing": "it is not in the media folder",
  "playlist.why_deep": "a playlist in a playlist in a playlist",
  "playlist.why_late": "looking at it took too long",
  "playlist.why_long": "its address is too long",
  "search.found": "{names}\nA number plays one of them.",
  "search.more": "{names}\nThere are more. A number plays one of these; more words narrow it down.",
  "play.no_folder": "I found no folder called {query} in the media folder.",
  "play.ambiguous_folder": "{count} folders match {query}. Which one?\n{names}",
  "play.folder_hangs": "The disk with the media folder does not answer.",
  "play.file_gone": "the file is not there any more",
  "play.too_large": "That file has {size} MB; I take up to {limit} MB.",
  "play.empty_file": "{title} is empty.",
  "play.not_audio": "{title} is not an audio file.",
  "play.reply_not_audio": "The message you replied to has no audio file that I can play.",
  "fetch.bad_url":
    "I cannot read that as a web address. Please give me one like `https://example.org/track.mp3`.",
  "fetch.scheme": "I fetch over https only. Please give me an address that begins with `https://`.",
  "fetch.http":
    "I fetch over https only, and that address begins with http. Often the same works with `https://`; whoever runs me can allow http (`fetch.http`).",
  "fetch.credentials":
    "I take no addresses with a user name or a password in them. Everybody here could read that one: better change it.",
  "fetch.port": "I do not fetch from port {port}. Please give me another address.",
  "fetch.own_network":
    "{host} is not on the public Internet, and I do not fetch from my own network. Whoever runs me can allow it (`fetch.allow`).",
  "fetch.redirects": "{host} sends me on again and again. Please give me the address of the file itself.",
  "fetch.no_host": "I cannot find {host}. Please check the address.",
  "fetch.unreachable": "I cannot reach {host}. Please try again later, or another address.",
  "fetch.certificate":
    "{host} cannot prove that it is {host} (its certificate), so I do not fetch from there. Please give me another address.",
  "fetch.no_http": "{host} does not answer as a web server does. Please check the address.",
  "fetch.broken_off": "{host} broke off in the middle. Please try again.",
  "fetch.packed":
    "{host} sends that packed only, and I take files as they are. Please give me another address.",
  "fetch.status": "{host} answered with {status} instead of the file. Please check the address.",
  "fetch.slow": "{host} is too slow. Please try again later, or another address.",
  "fetch.too_large": "That file is larger than {limit} MB, and I take no more.",
  "fetch.empty": "There is nothing at that address. Please check it.",
  "fetch.not_audio":
    "There is no sound at that address. Please give me the address of the audio file itself.",
  "fetch.page":
    "There is a web page at that address, not an audio file. Please give me the address of the file itself.",
  "fetch.disk_full": "My disk is full. Whoever runs me has to make room.",
  "fetch.too_many": "That were many downloads lately. Please wait a few minutes.",
  "fetch.busy": "I am fetching as much as I can at once. Please try again in a minute.",
  "fetch.takes_long": "That takes long. I go on fetching it from {host}; please ask again in a few minutes.",
  "fetch.fetching": "Fetching it from {host} …",
  "player.failed": "I could not play **{title}**: {reason}.",
  "reason.cut": "it breaks off after {heard} of {length} s",
  "reason.stalled": "nothing more came of it for {seconds} s",
  "reason.kind": "{kind} is not a kind of sound that I play",
  "reason.no_index": "it is not whole: the index at its end is missing",
  "reason.no_sound": "there is no sound in it",
  "reason.damaged": "it is damaged, or no audio file",
  "reason.other": "{detail}",
  "player.gave_up":
    "{failures} tracks in a row failed, so I stopped. {waiting} {waiting?is|are} still in the queue.",
  "stall.silent": "it gave no sound, at a second attempt neither",
  "stall.source": "nothing came from its file or address for ten seconds, at a second attempt neither",
  "stall.unanswered": "it did not start, at a second attempt neither",
  "stall.unsent": "its sound did not leave here",
  "stall.held":
    "{count} tracks in a row gave no sound, so I have paused. What is in the queue stays there; `{prefix}resume` tries again, and `{prefix}check` tells how it stands.",
  "stall.held_unsent":
    "The music plays, but nothing of it leaves here for anybody, so I have paused. `{prefix}resume` tries again; if that does not help, `{prefix}leave` and `{prefix}join` may.",
  "player.nothing": "Nothing is playing.",
  "player.already_skipped": "Already skipped.",
  "player.skipped": "Skipped **{title}**.",
  "player.skipped_now": "Skipped **{title}**. Now playing **{next}**.",
  "player.skipped_many": "Skipped {count} tracks.",
  "player.skipped_many_now": "Skipped {count} tracks. Now playing **{next}**.",
  "vote.counted": "{votes} of {needed} want to skip **{title}**. `{prefix}skip` is a vote for it.",
  "vote.skipped": "{votes} of {needed} wanted that: skipped **{title}**.",
  "vote.skipped_now": "{votes} of {needed} wanted that: skipped **{title}**. Now playing **{next}**.",
  "vote.not_there": "That track is somebody else's: only who is in the voice channel can vote to skip it.",
  "card.playing": "▶ Now playing **{title}**\n{list}",
  "card.paused": "⏸ Paused: **{title}**\n{list}",
  "card.nothing": "⏹ Nothing is playing.",
  "card.moved": "⤵ Further down.",
  "card.live": "live",
  "card.details": "For {requester} · volume {volume} %",
  "card.next": "Next: {title}",
  "card.next_more": "Next: {title}, and {count} more",
  "card.votes": "{votes} of {needed} want to skip this.",
  "card.refused": "{name}: {reason}",
  "player.stopped": "Stopped, and emptied the queue.",
  "player.paused": "Paused **{title}** at {position}.",
  "player.resumed": "Going on with **{title}**.",
  "player.paused_already": "**{title}** is paused already. `{prefix}resume` goes on.",
  "player.playing_already": "**{title}** is playing already.",
  "player.paused_live": "Paused **{title}**. It is live: it goes on with what is on then.",
  "player.interrupted": "Nothing comes of **{title}** at the moment. I keep trying for two minutes.",
  "player.volume": "The volume is {percent} %.",
  "player.volume_set": "The volume is now {percent} %.",
  "player.volume_me":
    "You hear the music at {percent} % of what everybody hears. `{prefix}volume me off` changes it back.",
  "player.volume_me_none":
    "You hear the music as everybody does. `{prefix}volume me 60` makes it quieter for you alone.",
  "player.volume_me_set":
    "For you alone the music is at {percent} % now, also when you come again. `{prefix}volume me off` changes it back.",
  "player.volume_me_off": "You hear the music as everybody does again.",
  "player.volume_max":
    "The volume goes up to {percent} % in this room. Moderators can change that by `{prefix}settings volume-max`.",
  "player.queue_full": "The queue is full. Please wait until some of it has played.",
  "filter.none": "No filters: everything sounds as it was made.",
  "filter.now": "Filters: {filters}. `{prefix}filter off` takes them away.",
  "filter.now_stream":
    "Filters: {filters}. `{prefix}filter off` takes them away. What plays now is a stream, which comes at its own speed: only that one stays as it is.",
  "filter.usage":
    "That is used like this: {usage}. Bass and treble go from -{db} to {db} dB, and so do up to {bands} bands of the equaliser (frequency:dB), whose sum is no higher than that; speed from {min} to {max}, pitch from -{semitones} to {semitones} semitones.",
  "filter.bass": "bass {value} dB",
  "filter.treble": "treble {value} dB",
  "filter.eq": "equaliser {value} dB",
  "filter.nightcore": "nightcore",
  "filter.speed": "speed {value}",
  "filter.pitch": "pitch {value} semitones",
  "filter.mono": "mono",
  "filter.night": "night mode",
  "player.now": "**{title}** – {state} {position} – for {requester}, volume {volume} %{filters}.",
  "player.now_heard":
    "**{title}** – {state} {position} – for {requester}, volume {volume} %{filters}, heard by {heard} of {count}.",
  "player.queue": "{now}\n{list}\n{count} waiting, {total} in all.",
  "player.queue_none": "{now}\nNothing else is waiting.",
  "player.queue_page": "{now}\n{list}\n{count} waiting, {total} in all, page {page} of {pages}.",
  "player.queue_line": "{position}. {title} – {requester}",
  "player.queue_line_eta": "{position}. {title} – {requester}, in {eta}",
  "player.history": "What was on, the latest first:\n{list}",
  "player.history_page": "What was on, the latest first, page {page} of {pages}:\n{list}",
  "player.no_position": "There is no position {position}: {count} {count?is|are} waiting.",
  "player.removed": "Removed **{title}** from the queue.",
  "player.removed_many": "Removed {count} tracks from the queue.",
  "player.moved": "**{title}** is at position {position} now.",
  "player.cleared": "Removed what was waiting ({count}). What is on goes on.",
  "player.shuffled": "Shuffled what waits ({count}).",
  "player.sought": "**{title}** goes on at {position}.",
  "player.previous": "Back to **{title}**.",
  "player.replayed": "**{title}**, from the beginning.",
  "loop.off": "Nothing is repeated.",
  "loop.track": "This track is repeated.",
  "loop.queue": "The whole queue is repeated.",
  "lists.saved": "Kept {count} {count?track|tracks} as **{name}**. `{prefix}load {name}` adds them again.",
  "lists.list": "Lists of this room:\n{list}\n`{prefix}load name` adds one to the queue.",
  "lists.line": "– {name}: {count} {count?track|tracks}, kept by {by}",
  "lists.removed": "The list **{name}** is deleted.",
  "lists.not_yours":
    "That list is changed by who has kept it, or people with power level {level} or more; you have {actual}.",
  "lists.not_yours_dj":
    "That list is changed by who has kept it, DJs of this room (`{prefix}dj`), or people with power level {level} or more; you have {actual}.",
  "player.damaged":
    "I could not read the queue that I had kept here, so it is empty. What was kept is set aside.",
  "player.nothing_waits": "Nothing is waiting in the queue.",
  "player.limit":
    "You have {limit} {limit?track|tracks} waiting already, which is what one person may have here.",
  "player.no_history": "Nothing was on before.",
  "player.no_length": "That cannot be wound: it has no length.",
  "player.beyond": "That is beyond its end: it has {length}.",
  "lists.nothing": "There is nothing to keep: nothing plays or waits.",
  "lists.full": "I keep {limit} lists for a room. Please delete one before.",
  "lists.unknown": "There is no list {name}. There are: {names}.",
  "lists.unknown_nearest": "There is no list {name}. Did you mean {nearest}?",
  "lists.none": "I keep no lists for this room.",
  "lists.damaged": "I could not read the list {name} any more. What was kept is set aside.",
  "lists.damaged_all":
    "I could not read the names of the lists that I had kept here. What was kept is set aside.",
  // recorder
  "record.started":
    "**Recording.** Everything said in the voice channel from now on is recorded, one track for each person, started by {by}. Who does not want that: react with 🔇, or say `{prefix}optout`. `{prefix}record stop` ends it.",
  "record.started_opt_in":
    "**Recording.** From now on the voice channel is recorded, one track for each person who agrees, started by {by}. Nobody else is in it. Who wants to be: react with ✅, or say `{prefix}optin`. `{prefix}record stop` ends it.",
  "record.started_titled":
    "**Recording “{title}”.** Everything said in the voice channel from now on is recorded, one track for each person, started by {by}. Who does not want that: react with 🔇, or say `{prefix}optout`. `{prefix}record stop` ends it.",
  "record.started_titled_opt_in":
    "**Recording “{title}”.** From now on the voice channel is recorded, one track for each person who agrees, started by {by}. Nobody else is in it. Who wants to be: react with ✅, or say `{prefix}optin`. `{prefix}record stop` ends it.",
  "record.started_auto":
    "**Recording**, as this room is set to, because {people} are in the voice channel. Everything said in it from now on is recorded, one track for each person. Who does not want that: react with 🔇, or say `{prefix}optout`. `{prefix}record stop` ends it.",
  "record.started_auto_opt_in":
    "**Recording**, as this room is set to, because {people} are in the voice channel. One track for each person who agrees, nobody else is in it. Who wants to be: react with ✅, or say `{prefix}optin`. `{prefix}record stop` ends it.",
  "record.already": "A recording is running already, since {length}.",
  "record.none": "No recording is running.",
  "record.status":
    "**Recording** for {length}, {count} {count?track|tracks} so far, {size}; {free} free on the disk.\n{list}",
  "record.status_titled":
    "**Recording “{title}”** for {length}, {count} {count?track|tracks} so far, {size}; {free} free on the disk.\n{list}",
  "record.status_paused": "Paused for {length}: nothing is being recorded.",
  "record.status_gap": "Nothing has been recorded for {length}; I am trying to go on.",
  "record.status_heard": "{name}: heard, {level} dBFS",
  "record.status_distorted": "{name}: heard, {level} dBFS, too loud (distorted)",
  "record.status_lossy": "{name}: heard, {level} dBFS, {percent} % of it gets lost on the way",
  "record.status_silent": "{name}: silent for {length}",
  "record.status_never": "{name}: not heard yet",
  "record.status_unconnected": "{name}: no connection, so nothing is heard",
  "record.status_out": "{name}: not recorded, did not agree",
  "record.status_more": "and {count} more",
  "record.status_nobody": "Nobody else is in the channel.",
  "record.interrupted":
    "I was restarted while recording. The recording goes on when I am in the voice channel again.",
  "record.exporting": "The last recording is being prepared ({percent} %).",
  "record.stopped": "Recording ended after {length}. I am preparing the tracks.",
  "record.stopped_limit":
    "The recording has reached {hours} hours, so I ended it. I am preparing the tracks.",
  "record.stopped_alone":
    "I have been alone for {minutes} minutes, so I ended the recording. I am preparing the tracks.",
  "record.stopped_empty":
    "Everybody has left, so I ended the recording after {length}. I am preparing the tracks.",
  "record.stopped_paused":
    "The recording was paused for {hours} hours, so I ended it. I am preparing the tracks.",
  "record.stopped_disk": "The disk is nearly full, so I ended the recording. I am preparing the tracks.",
  "record.stopped_failed":
    "I could not go on writing the recording ({reason}), so I ended it. I am preparing what there is.",
  "record.disk_low": "There is too little disk space to record: {free} MB are free, I need {needed} MB.",
  "record.empty": "Nobody said anything in this recording, so there is nothing to send.",
  "record.delivered": "The recording: {count} {count?file|files}, {length} each.",
  "record.recovered":
    "I was interrupted while recording; this is what was recorded until then: {count} {count?file|files}, {length} each.",
  "record.too_large":
    "{file} is larger than this server takes, so it stays with me: {path} in my data directory.",
  "record.undelivered": "I could not send {file} ({reason}). It stays with me: {path} in my data directory.",
  "record.export_failed": "I could not prepare recording {id} ({reason}). What was recorded stays with me.",
  "record.gap": "The recording had a gap of {seconds} s; it goes on.",
  "record.reopened": "I was restarted: the recording had a gap of {seconds} s; it goes on.",
  "record.reopened_paused":
    "I was restarted. The recording is still paused: `{prefix}record resume` goes on, `{prefix}record stop` ends it.",
  "record.paused":
    "Recording paused after {length}: nothing is recorded until somebody says `{prefix}record resume`.",
  "record.unpaused": "The recording goes on.",
  "record.paused_already": "The recording is paused already.",
  "record.not_paused": "The recording is not paused.",
  "record.noted": "Noted at {at}.",
  "record.notes_full": "There are a thousand notes in this recording already; it takes no more.",
  "record.discard_ask":
    "This deletes everything recorded so far, for everybody. Say `{prefix}record discard` again within {seconds} s if you mean it.",
  "record.discarded": "Recording ended after {length} and deleted by {by}. Nothing of it is left here.",
  "record.silent":
    "I have heard nothing of {name} for {minutes} minutes. Is the microphone on, and the right one? `{prefix}check` says more.",
  "record.clipped":
    "The sound of {name} has been distorted for {minutes} minutes: too loud. Please turn the microphone down.",
  "record.name": "🔴 {name} (recording)",
  "record.name_paused": "⏸️ {name} (recording paused)",
  "record.music": "Music",
  "record.mix": "Everybody",
  "record.part_of": "of",
  "record.delivered_zip": "The recording: everything in one file, {length}.",
  "record.summary": "{head}\n{list}",
  "record.summary_title": "Title: {title}",
  "record.summary_gaps": "Interruptions: {count}, {length} in all; there it is silent.",
  "record.summary_unclocked": "{name} came without the sender's clock and is placed less exactly.",
  "record.summary_silent": "Of {name} nothing is to be heard.",
  "record.summary_lost": "Of {name} {percent} % of the packets were lost.",
  "record.summary_clipped": "{name} is distorted for {length}.",
  "record.summary_erased": "Tracks that were deleted on somebody's wish: {count}.",
  "record.summary_note": "{at} {text} ({name})",
  "record.summary_more_notes": "and {count} more {count?note|notes}",
  "record.summary_number": "It is number {number} in `{prefix}recordings`.",
  "recordings.none": "There are no recordings of this room with me. `{prefix}record start` begins one.",
  "recordings.list": "Recordings of this room:\n{list}",
  "recordings.list_more": "The newest recordings of this room, of {count}:\n{list}",
  "recordings.line": "**{number}** {title} – {when}, {length}, {state}, {size}, {kept}",
  "recordings.details": "{line}\nStarted by {by}, notes: {notes}, folder: {id}\n{list}",
  "recordings.unknown": "I have no recording {number} of this room.",
  "recordings.runs": "That recording is still running.",
  "recordings.not_yours": "Only who started that recording, or somebody with power {level}, may do that.",
  "recordings.resending": "I am sending recording {number} once more.",
  "recordings.kept": "Recording {number} stays until somebody deletes it.",
  "recordings.unkept": "Recording {number} is kept until {day} again.",
  "recordings.kept_on": "stays",
  "recordings.kept_ever": "kept",
  "recordings.kept_until": "kept until {day}",
  "recordings.delete_ask":
    "This deletes recording {title} from my disk, for good. Say `{prefix}recordings delete {number}` once more within two minutes if that is what you want.",
  "recordings.deleted":
    "Recording {number} is deleted here. What was sent stays in the room until somebody removes it there.",
  "recordings.state_recording": "running",
  "recordings.state_recorded": "being prepared",
  "recordings.state_exported": "being sent",
  "recordings.state_delivered": "in the room",
  "recordings.state_empty": "empty",
  "recordings.state_failed": "not all of it sent",
  "recordings.state_deleted": "deleted",
  "recordings.redacted_all":
    "The recording was removed from the room, so I have deleted everything of it here. The homeserver may still have its copy of the files: that is its administrator's matter.",
  "recordings.redacted_all_gone":
    "The recording was removed from the room, so I have deleted everything of it here, and the homeserver's copy of the files.",
  "recordings.redacted_all_some":
    "The recording was removed from the room, so I have deleted everything of it here. The homeserver's copy I could not delete as a whole: please ask its administrator.",
  "recordings.redacted_tracks":
    "Removed from the room, and so deleted here too, with what they were made of: {names}. The homeserver may still have its copy of them: that is its administrator's matter. A mix still has them in it.",
  "recordings.redacted_tracks_gone":
    "Removed from the room, and so deleted here too, with what they were made of and the homeserver's copy: {names}. A mix still has them in it.",
  "recordings.redacted_tracks_some":
    "Removed from the room, and so deleted here too, with what they were made of: {names}. The homeserver's copy I could not delete as a whole: please ask its administrator. A mix still has them in it.",
  "recordings.foretold":
    "I will delete these recordings from my disk on the day that is behind them:\n{list}\n`{prefix}recordings keep {number}` keeps one; what was sent stays in the room.",
  "record.voices": "Voices",
  // files of an export
  "export.heading": "Recording of a voice channel",
  "export.started": "Started on {when} by {name}",
  "export.length": "Length: {length}; all files begin at the same instant and are equally long",
  "export.consent_opt_out": "Consent: everybody who did not say no was recorded",
  "export.consent_opt_in": "Consent: only those who said yes were recorded",
  "export.tracks": "Files",
  "export.what_voice": "one person's voice",
  "export.what_music": "the bot's music",
  "export.what_mix": "everything that was heard",
  "export.what_voices": "all voices, without the music",
  "export.speech": "Who spoke",
  "export.speech_line": "{name}: {talk} in {turns} turns, {overlap} of it while others spoke",
  "export.course": "What happened when",
  "export.mark_note": "{text} ({name})",
  "export.mark_joined": "{name} came",
  "export.mark_left": "{name} left",
  "export.mark_gap": "Gap of {length}: nothing was recorded",
  "export.mark_paused": "Paused for {length}, which is cut out",
  "export.mark_removed": "A track was removed because the person asked for it",
  "export.beginning": "Beginning",
  "export.no_mix": "There is no mix: {reason}",
  "export.unreadable": "Files that could not be read: {count}",
  "export.report": "How good each track is",
  "export.place": "Place in time: known to {uncertainty} ms, this file is off by at most {residue} ms",
  "export.place_best_effort":
    "Place in time: best effort, the sender's clock did not come with it (known to {uncertainty} ms, this file is off by at most {residue} ms)",
  "export.drift": "Clock: {ppm} ppm fast, {steps} steps of its own",
  "export.drift_unknown": "Clock: heard for too short a time to say how fast it runs",
  "export.round_trip": "Way to the bot and back: {ms} ms",
  "export.loss": "Packets: {received} received, {lost} lost ({percent} %)",
  "export.unusable": "Packets that could not be used: {count}",
  "export.gaps": "Gaps of more than 120 ms: {count}, {length} in all",
  "export.level": "Level: {loud} dBFS where there is sound, peak {peak} dBFS",
  "export.level_none": "Level: there is no sound at all",
  "export.clipping": "Distorted by clipping: {ms} ms",
  "export.silence": "Silent: {percent} % of the time",
  // consent
  "consent.joined":
    "{name}, this voice channel is being recorded. Who does not want to be in it: `{prefix}optout`.",
  "consent.joined_opt_in":
    "{name}, this voice channel is being recorded, only those who agree: `{prefix}optin`.",
  "consent.stricter":
    "From now on only who agrees is in the recording: react with ✅ to this, or say `{prefix}optin`.",
  "consent.out": "Not in the recording from now on: {names}.",
  "consent.in": "In the recording from now on: {names}.",
  "consent.out_recording":
    "From now on nothing you say is in this recording. `{prefix}optout delete` also removes what you have said, `{prefix}optout always` holds for every recording in this room, `{prefix}optin` takes it back.",
  "consent.out_next":
    "Nothing is being recorded. You will not be in the next recording. `{prefix}optout always` holds for every recording in this room, `{prefix}optin` takes it back.",
  "consent.out_room":
    "From now on nothing you say is in any recording in this room, until you say `{prefix}optin`.",
  "consent.in_recording": "From now on you are in this recording. `{prefix}optout` takes it back.",
  "consent.in_next":
    "Nothing is being recorded. You agree to be in the next recording. `{prefix}optout` takes it back.",
  "consent.in_room":
    "From now on you agree to every recording in this room, until you say `{prefix}optout always`.",
  "consent.deleted":
    "Removed: what you had said in {count} {count?recording|recordings} that I have not sent yet ({files} {files?file|files}). From now on nothing you say is in them.",
  "consent.deleted_some":
    "Removed: what you had said in {count} {count?recording|recordings} ({files} {files?file|files}). {sent} {sent?file|files} with your voice had been sent to the room already: a moderator can remove {sent?that message|those messages}.",
  "consent.deleted_nothing":
    "I had nothing of you that was not sent yet. From now on nothing you say is recorded in this recording or the next.",
  "consent.delete_failed":
    "From now on nothing you say is recorded, but I could not remove everything there was ({reason}). Please tell whoever runs me.",
  "consent.unsure":
    "From now on nothing you say is recorded, but I could not note it down ({reason}): after a restart I would not know it. Please say it again later.",
  "consent.full": "Too many people have said something about recordings here; I cannot remember more.",
  "consent.too_often":
    "You have changed your mind many times in this recording, so it stays as it is: you are not in it.",
  // clips and automatic recording
  "clip.off":
    "Clips are off in this room. A moderator can switch them on by `{prefix}settings clip on`: then I keep the last two minutes of those who agree in memory.",
  "clip.alone": "Nobody else is in the voice channel, so there is nothing to make a clip of.",
  "clip.nothing": "I have not heard anybody lately who agrees to be in a clip, so there is none.",
  "clip.busy": "I am making a clip already. Please try again in a moment.",
  "clip.seconds": "A clip has from 1 to {limit} seconds.",
  "clip.kept":
    "While I am in the voice channel, the last two minutes of it are in my memory, of those who agree, and nowhere else, until `{prefix}clip` sends them here. `{prefix}optout always` keeps your voice out of it, `{prefix}optin` puts it in.",
  "clip.joined":
    "{name}, the last two minutes of this voice channel are in my memory for `{prefix}clip`. Who does not want to be in it: `{prefix}optout always`.",
  "clip.delivered": "The last {length} of the voice channel, for {by}.",
  "clip.title": "Clip",
  "record.auto_failed":
    "I am set to record by myself here, and could not: {reason} I leave it until everybody has gone and come again; `{prefix}record start` tries it now.",
  // settings
  "settings.list": "What can be set in this room:\n{list}\n`{prefix}settings name value` changes one.",
  "settings.line": "{name} = {value}, as by default ({allowed}): {meaning}",
  "settings.line_changed": "{name} = {value}, by default {standard} ({allowed}): {meaning}",
  "settings.one":
    "**{name}** is {value}: {meaning}. It can be {allowed}, and is {standard} by default. `{prefix}settings {name} value` changes it, from power level {power} on.",
  "settings.changed": "{by} set **{name}** to {value} (before: {before}): {meaning}.",
  "settings.changed_note": "{by} set **{name}** to {value} (before: {before}): {meaning}. {note}",
  "settings.same": "**{name}** is {value} already.",
  "settings.bad_value": "**{name}** cannot be “{value}”. It can be: {allowed}.",
  "settings.unknown": "There is no setting “{name}”. There are: {names}.",
  "settings.unknown_nearest": "There is no setting “{name}”. Did you mean {nearest}?",
  "settings.damaged":
    "What was set in this room for {names} could not be read, so it is as by default again. `{prefix}settings` shows it.",
  "settings.damaged_all":
    "What was set in this room could not be read, so everything is as by default again. `{prefix}settings` shows it.",
  "settings.next_recording": "The recording that runs goes on as it began; this is for the next one.",
  "settings.stricter_now":
    "For the recording that runs this holds at once: from now on only those who agree are in it.",
  "settings.clip_on":
    "From now on what was said in the last two minutes is in my memory while I am in the voice channel, and nowhere else, until `{prefix}clip` sends it here. `{prefix}optout always` keeps your voice out of it, `{prefix}optin` puts it in.",
  "settings.clip_off": "What I had in memory is deleted.",
  "settings.language": "the language that I speak here",
  "settings.record_consent": "who is recorded: everybody who does not opt out, or only who opts in",
  "settings.record_format": "what the files of recordings are: opus as it came, flac, or wav",
  "settings.record_delivery": "whether a recording comes as single tracks or as one zip",
  "settings.record_auto": "from how many people in the voice channel on I come and record by myself",
  "settings.clip":
    "whether I keep the last two minutes of the voice channel in memory, of those who agree, for `{prefix}clip`",
  "settings.record_keep_days":
    "how many days I keep a recording after it was sent; 0: as long as whoever runs me has chosen",
  "settings.by_command": "**{name}** is changed by `{command}`.",
  "settings.volume_max": "how loud it may be set here, in percent",
  "settings.duck":
    "whether the music is turned down while somebody speaks; a number: by how many decibels (on: 12)",
  "settings.loudness":
    "whether every track is played equally loud, whatever it was made like; a number: how loud, in LUFS (on: -16)",
  "settings.vote_skip":
    "what share of those in the voice channel, in percent, has to want to skip a track that somebody else asked for; off: no votes",
  "settings.card": "whether a message with buttons shows what is on (plain: without its cover)",
  "settings.dj": "who may do with the music what moderators may",
  "settings.bots":
    "which other bots are here: in the voice channel they do not count as people, and I do not listen to them",
  "settings.levels": "which power levels single commands need here, where they are not the usual ones",
  "settings.fair": "whether people take turns in the queue, however much one of them adds",
  "settings.max_per_person": "how many tracks of one person may wait; 0: as many as fit",
  // help: one line for each command
  "dj.none":
    "This room has no DJs. Moderators name one by `{prefix}dj add @name`: DJs may do with the music what moderators may.",
  "dj.list": "DJs of this room: {names}.",
  "dj.added": "DJ of this room: {names}.",
  "dj.removed": "No DJ any more: {names}.",
  "dj.unknown": "I find nobody called {name} in this room. A user id like `@name:server` always works.",
  "dj.is_none": "{name} is no DJ of this room.",
  "level.none":
    "Every command needs the power level that it needs by default. `{prefix}level stop 25` sets another for one in this room.",
  "level.list":
    "Power levels that this room has set for single commands:\n{list}\n`{prefix}level stop 25` sets one, `{prefix}level stop default` takes it back.",
  "level.line": "{prefix}{name}: {level}",
  "level.set": "`{prefix}{name}` needs power level {level} in this room from now on.",
  "level.set_others":
    "`{prefix}{name}` needs power level {level} in this room from now on, but for one's own tracks and for who is alone in the channel.",
  "level.default": "`{prefix}{name}` needs what it needs by default again.",
  "level.pinned": "The level of `{prefix}{name}` stays as it is.",
  "level.above": "That takes power level {level}; you have {actual}.",
  "help.list": "What I can do (a name in brackets is a short form):\n{list}",
  "help.one": "{usage}\n{text}",
  "help.join": "comes into the voice channel",
  "help.leave": "leaves the voice channel",
  "help.play":
    "plays a file or playlist of the media folder by its name, what is at a web address, or an audio file or playlist: as its caption, as a reply to it, or alone for your newest one",
  "help.search":
    "looks in the media folder by title, artist, album and file name, and with yt-dlp on YouTube; a number then plays one",
  "help.radio": "plays a radio station by its name or address; alone it lists the names",
  "help.skip": "goes to the next track, or so many on; for another's track it is a vote",
  "help.stop": "stops and empties the queue",
  "help.pause": "pauses",
  "help.resume": "goes on",
  "help.filter":
    "shows or changes how the music sounds: bass, treble, equaliser, speed, pitch, nightcore, mono, a night mode",
  "help.volume": "shows or sets the volume, 0 to 200; with `me` for you alone",
  "help.queue": "shows what waits, ten tracks a page",
  "help.nowplaying": "shows what is on",
  "help.playnext": "as play, but before everything that waits",
  "help.forceskip": "goes to the next track, or so many on, without asking anybody",
  "help.seek": "goes to a time in the track, or so far forwards or back",
  "help.replay": "begins the track again",
  "help.previous": "goes back to what was on before",
  "help.loop": "repeats the track, the whole queue, or nothing; without a word shows which",
  "help.history": "shows what was on",
  "help.remove": "takes tracks out of the queue",
  "help.move": "puts a track at another position of the queue",
  "help.shuffle": "mixes what waits",
  "help.clear": "takes everything out of the queue; what is on goes on",
  "help.save": "keeps what is on and what waits as a list of that name",
  "help.load": "adds the tracks of a list to the queue",
  "help.lists": "shows the lists of this room",
  "help.unlist": "deletes a list",
  "help.record": "records the voice channel: one track for each person, and a mix",
  "help.recordings":
    "lists this room's recordings; sends one again, keeps it from being deleted, or deletes it",
  "help.optout":
    "keeps you out of this recording, or of all in this room (always); removes what you said (delete)",
  "help.optin": "agrees to be in this recording, or in all of this room (always), and takes back an optout",
  "help.clip": "sends what was said in the last seconds, where the room has switched that on",
  "help.settings": "shows what is set in this room, explains or changes it",
  "help.help": "shows this, or more about one command",
  "help.dj": "shows the DJs of this room, who may do with the music what moderators may; adds or removes one",
  "help.level": "shows or sets which power level a command needs in this room",
  "help.check": "shows how everybody is connected, and what is wrong",
  "help.ping": "answers",
  "help.status": "shows how I am: version, homeserver, memory, what waits",
  "state.playing": "playing",
  "state.live": "live",
  "state.paused": "paused",
} as const;

export type MessageKey = keyof typeof en;

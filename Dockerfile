# The image of matrix-voice-bot; docs/DOCKER.md says how to build and run it.
#
#   docker build -t matrix-voice-bot .
#
# FFMPEG=debian (default): from Debian's source package, for sound alone. FFMPEG=static: of the npm package
# ffmpeg-static, whose installation fetches it from github.com.
# YTDLP=latest (default), a version like 2026.10.26, or off: yt-dlp of PyPI, and Python for it.

# Packages for the image's processor, installed on the builder's own: nothing in them is compiled or run here.
FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS dependencies
ARG TARGETARCH
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY stubs stubs
RUN case "$TARGETARCH" in \
      amd64) cpu=x64 ;; \
      arm64) cpu=arm64 ;; \
      *) echo "There are images for amd64 and arm64; this is '$TARGETARCH'." >&2; exit 1 ;; \
    esac \
 && npm ci --omit=dev --ignore-scripts --os=linux --cpu="$cpu" --libc=glibc \
 # libdatachannel loads on this very image: the second WebRTC library is not needed here.
 && rm -rf node_modules/@roamhq

FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY stubs stubs
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.js scripts/
COPY src src
RUN node scripts/build.js \
 && rm -f dist/.stamp \
 && find dist -name '*.map' -delete

FROM node:24-bookworm-slim AS ffmpeg
ARG FFMPEG=debian
COPY deploy/build-ffmpeg.sh /
RUN sh /build-ffmpeg.sh "$FFMPEG" /out/ffmpeg

# Without mutagen (GPL), which writes tags: nobody has it do so. Compiled, as nothing can be written there later.
FROM node:24-bookworm-slim AS ytdlp
ARG YTDLP=latest
RUN mkdir -p /out/opt /out/usr/local/bin \
 && if [ "$YTDLP" != off ]; then \
      apt-get update \
   && apt-get install -y --no-install-recommends python3-pip \
   && case "$YTDLP" in latest) version= ;; *) version="==$YTDLP" ;; esac \
   && python3 -m pip install --no-cache-dir --only-binary :all: --target /out/opt/yt-dlp "yt-dlp[default]$version" \
   && rm -rf /out/opt/yt-dlp/mutagen* /out/opt/yt-dlp/bin /out/opt/yt-dlp/share \
   && printf '%s\n' '#!/usr/bin/python3' 'import sys' 'sys.path.insert(0, "/opt/yt-dlp")' 'from yt_dlp import main' 'main()' \
        > /out/usr/local/bin/yt-dlp \
   && chmod 755 /out/usr/local/bin/yt-dlp \
   && PYTHONPATH=/out/opt/yt-dlp python3 -m yt_dlp --ignore-config --version; \
    fi

FROM node:24-bookworm-slim
ARG YTDLP=latest
# The bot needs no package manager, and nobody who gets into it shall have one.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libmp3lame0 libopus0 tini $([ "$YTDLP" = off ] || echo python3) \
 && apt-get clean \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/log/*.log /var/log/apt \
 && rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
      /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* /usr/local/include /root/.npm \
 && install -d -o node -g node -m 700 /data \
 && install -d -m 755 /media \
 && ln -s /app/dist/cli.js /usr/local/bin/matrix-voice-bot
COPY --from=ffmpeg /out/ffmpeg /usr/local/bin/ffmpeg
COPY --from=ytdlp /out/ /
COPY --from=dependencies /app /app
COPY --from=build /app/dist /app/dist
# What everybody hears when a recording begins.
COPY audio/recording-notice-*.ogg /app/audio/
COPY LICENSE /app/

ENV NODE_ENV=production \
    VOICEBOT_DATA_DIR=/data \
    VOICEBOT_MEDIA_DIR=/media \
    VOICEBOT_FFMPEG_PATH=/usr/local/bin/ffmpeg \
    VOICEBOT_HEALTH_LISTEN=127.0.0.1:9464
WORKDIR /data
VOLUME ["/data", "/media"]
# By number, so that Kubernetes sees that it is not root. It is the base image's user `node`.
USER 1000:1000
# Ready: it has synced, and is in every voice channel that it is meant to be in.
HEALTHCHECK --interval=30s --timeout=10s --start-period=90s --retries=3 CMD ["matrix-voice-bot", "health"]
ENTRYPOINT ["tini", "--", "matrix-voice-bot"]
CMD ["run"]

ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="matrix-voice-bot" \
      org.opencontainers.image.description="A headless bot for Matrix voice channels: plays music into them and records them." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.base.name="docker.io/library/node:24-bookworm-slim"

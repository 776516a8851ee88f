#!/bin/sh
# Makes the ffmpeg of the image; a step of the Dockerfile.
#
#   build-ffmpeg.sh debian|static OUTPUT      on Debian, as root; leaves the program OUTPUT
#
# debian: from Debian's source package, with Debian's security patches, for sound alone. Debian's own binary needs 211
# libraries, with those of X, SDL, OpenGL and every video codec among them: 240 MB. This one needs libopus, libmp3lame
# and zlib, and has no decoder of pictures at all.
set -eu
kind=$1
output=$2
folder=$(mktemp -d)
cd "$folder"

case "$kind" in
debian) ;;
static)
  if ! npm install --no-save --ignore-scripts --no-audit --no-fund ffmpeg-static@5.2.0 ||
    ! node node_modules/ffmpeg-static/install.js; then
    echo "ffmpeg-static could not fetch its binary from github.com. Use --build-arg FFMPEG=debian." >&2
    exit 1
  fi
  install -D -m 755 node_modules/ffmpeg-static/ffmpeg "$output"
  "$output" -hide_banner -version
  exit 0
  ;;
*)
  echo "FFMPEG is debian or static; this is '$kind'." >&2
  exit 1
  ;;
esac

export DEBIAN_FRONTEND=noninteractive
sed 's/^Types: deb$/Types: deb-src/' /etc/apt/sources.list.d/debian.sources >/etc/apt/sources.list.d/source.sources
apt-get update
apt-get install -y --no-install-recommends \
  dpkg-dev gcc libc6-dev libmp3lame-dev libopus-dev make nasm pkg-config xz-utils zlib1g-dev
apt-get -o APT::Sandbox::User=root source ffmpeg
cd ffmpeg-*/

# Everything of one kind, as configure takes it, from ffmpeg's own tables.
audio_decoders=$(sed -n '/^\/\* audio codecs \*\//,/^\/\* subtitles \*\//s/^extern const FFCodec ff_\([a-z0-9_]*\)_decoder;/\1/p' \
  libavcodec/allcodecs.c | paste -sd,)
audio_filters=$(sed -n 's/^extern const AVFilter ff_\(af\|asrc\|asink\)_\([a-z0-9_]*\);/\2/p' \
  libavfilter/allfilters.c | paste -sd,)
# Containers: AUDIO_FORMATS of src/media/audio/media-file.ts, what radio comes in, and what the bot itself writes.
demuxers=aac,ac3,aiff,amr,ape,asf,au,caf,dsf,eac3,flac,loas,matroska,mov,mp3,mpc,mpc8,ogg,tak,tta,voc,w64,wav,wv
demuxers=$demuxers,ffmetadata,mpegts,pcm_f32le,pcm_s16le

./configure \
  --disable-everything --disable-autodetect --disable-debug --disable-doc --disable-network \
  --disable-avdevice --disable-postproc --disable-swscale --disable-ffplay --disable-ffprobe \
  --enable-zlib --enable-libopus --enable-libmp3lame \
  --extra-cflags='-fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE' --extra-ldexeflags='-pie -Wl,-z,relro,-z,now' \
  --enable-protocol=file,pipe \
  --enable-demuxer="$demuxers" --enable-decoder="$audio_decoders,libopus" --enable-parsers --enable-bsfs \
  --enable-encoder=aac,flac,libmp3lame,libopus,pcm_f32le,pcm_s16le,pcm_s24le \
  --enable-muxer=adts,ffmetadata,flac,ipod,mp3,null,ogg,opus,pcm_f32le,pcm_s16le,pcm_s24le,wav,w64 \
  --enable-filter="$audio_filters"
make -j"$(nproc)" ffmpeg
install -D -m 755 -s ffmpeg "$output"
"$output" -hide_banner -version

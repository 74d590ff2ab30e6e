#!/usr/bin/env bash
# Records `workbench tour` in a real xterm as docs/tour.gif: real screens, nothing drawn by hand.
# SPDX-License-Identifier: Apache-2.0
#
#   docs/record-tour.sh [PROGRAM]     PROGRAM is .build/release/workbench if left out
#
# Needs the Debian packages xterm, xvfb, x11-utils, imagemagick and fonts-dejavu-core. WORKBENCH_PACE
# sets the seconds that a stop is looked at (2.5).
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "${1:-.build/release/workbench}")
pace=${WORKBENCH_PACE:-2.5}
work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

# A screen of our own; the server says which number it took.
mkfifo "$work/display"
exec 3<>"$work/display"
Xvfb -displayfd 3 -screen 0 1100x800x24 -nolisten tcp >/dev/null 2>&1 &
pids+=($!)
read -r number <&3
export DISPLAY=":$number"

mkdir -p "$work/home"
HOME="$work/home" COLORTERM=truecolor xterm -ti vt340 -tn xterm-256color -geometry 120x36+0+0 \
    -bw 0 -b 2 +sb -fa 'DejaVu Sans Mono' -fs 8 -bg black -fg white \
    -xrm 'XTerm*numColorRegisters: 1024' -xrm 'XTerm*maxGraphicSize: 2000x2000' \
    -title tour -e "$program" tour --pace "$pace" --theme default-dark &
terminal=$!
pids+=("$terminal")
for _ in $(seq 100); do
    xwininfo -name tour >/dev/null 2>&1 && break
    sleep 0.1
done

# A picture every third of a second, until the tour has ended.
frame=0
while kill -0 "$terminal" 2>/dev/null; do
    import -silent -window tour "$work/$(printf %05d $frame).png" 2>/dev/null &&
        frame=$((frame + 1))
    sleep 0.25
done
rm -f "$work/$(printf %05d $frame).png"
[ "$frame" -gt 4 ] || { echo "nothing was recorded" >&2; exit 1; }

# Equal pictures in a row become one that stands longer; times are hundredths of a second. One seen only
# once was taken while the terminal drew: it is left out unless nothing stood still around it.
arguments=()
last=""
kept=""
delay=0
seen=0
moving=0
flush() {
    [ -n "$kept" ] || return 0
    if [ "$seen" -gt 1 ] || [ "$moving" -ge 5 ]; then
        arguments+=(-delay "$delay" "$kept")
        moving=0
    else
        moving=$((moving + 1))
    fi
}
for picture in "$work"/0*.png; do
    sum=$(identify -format '%#' "$picture" 2>/dev/null) || continue
    if [ "$sum" = "$last" ]; then
        seen=$((seen + 1))
        # A busy machine works longer than anybody wants to look.
        [ "$delay" -gt 250 ] || delay=$((delay + 33))
        continue
    fi
    flush
    last=$sum
    kept=$picture
    delay=33
    seen=1
done
delay=$((delay + 200))
flush
convert "${arguments[@]}" -loop 0 +dither -colors 48 -layers OptimizePlus -layers OptimizeTransparency \
    docs/tour.gif
ls -l docs/tour.gif

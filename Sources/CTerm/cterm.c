// Curses into memory: a frame's bytes are taken from a memory file, never sent by curses.
// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE 1
#define NCURSES_WIDECHAR 1
#include "cterm.h"

#include <curses.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wchar.h>

static int memory_fd = -1;
static FILE *out_stream;
static FILE *in_stream;
static SCREEN *screen;
static uint8_t *frame_bytes;
static size_t frame_capacity;

// Takes what curses wrote and empties the file.
static size_t drain(const uint8_t **bytes) {
  *bytes = frame_bytes;
  fflush(out_stream);
  off_t written = lseek(memory_fd, 0, SEEK_CUR);
  if (written <= 0) return 0;
  size_t length = (size_t)written;
  if (length > frame_capacity) {
    uint8_t *larger = realloc(frame_bytes, length * 2);
    if (!larger) return 0;
    frame_bytes = larger;
    frame_capacity = length * 2;
  }
  ssize_t got = pread(memory_fd, frame_bytes, length, 0);
  lseek(memory_fd, 0, SEEK_SET);
  if (ftruncate(memory_fd, 0)) return 0;
  *bytes = frame_bytes;
  return got > 0 ? (size_t)got : 0;
}

static void use_utf8(void) {
  // LC_CTYPE only: another numeric locale would change what strtod reads.
  setlocale(LC_CTYPE, "");
  if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) setlocale(LC_CTYPE, "C.UTF-8");
}

static void close_streams(void) {
  if (out_stream) fclose(out_stream);
  if (in_stream) fclose(in_stream);
  out_stream = NULL;
  in_stream = NULL;
  memory_fd = -1;
}

static int has_string(const char *name) {
  char *value = tigetstr(name);
  return value && value != (char *)-1;
}

int cterm_start(const char *term, int rows, int columns) {
  use_utf8();
  memory_fd = memfd_create("frame", MFD_CLOEXEC);
  if (memory_fd < 0) return CTERM_FAILED;
  out_stream = fdopen(memory_fd, "w");
  in_stream = fopen("/dev/null", "re");
  if (!out_stream || !in_stream) return CTERM_FAILED;

  // Curses asks neither the memory file nor the real terminal for the size: without these it
  // would start at 24x80 and set a scroll region of that height.
  char number[16];
  snprintf(number, sizeof number, "%d", rows);
  setenv("LINES", number, 1);
  snprintf(number, sizeof number, "%d", columns);
  setenv("COLUMNS", number, 1);
  use_env(TRUE);
  screen = newterm(term, out_stream, in_stream);
  unsetenv("LINES");
  unsetenv("COLUMNS");
  if (!screen) {
    close_streams();
    return CTERM_UNKNOWN;
  }
  set_term(screen);
  if (!has_string("cup") || !has_string("clear")) {
    cterm_discard();
    return CTERM_TOO_SIMPLE;
  }
  resizeterm(rows, columns);
  if (has_colors()) {
    start_color();
    use_default_colors();
  }
  noecho();
  nonl();
  // Shifting a row would shift the pictures in it.
  idcok(stdscr, FALSE);
  idlok(stdscr, FALSE);
  scrollok(stdscr, FALSE);
  leaveok(stdscr, TRUE);
  curs_set(0);
  return CTERM_OK;
}

void cterm_discard(void) {
  if (!screen) return;
  endwin();
  delscreen(screen);
  screen = NULL;
  close_streams();
}

int cterm_colors(void) { return screen && has_colors() ? COLORS : 0; }

int cterm_pairs(void) { return screen && has_colors() ? COLOR_PAIRS : 0; }

void cterm_resize(int rows, int columns) {
  if (screen) resizeterm(rows, columns);
}

void cterm_define_pair(int pair, int foreground, int background) {
  if (screen) init_extended_pair(pair, foreground, background);
}

static attr_t curses_attributes(unsigned bits) {
  attr_t result = A_NORMAL;
  if (bits & CTERM_BOLD) result |= A_BOLD;
  if (bits & CTERM_DIM) result |= A_DIM;
  if (bits & CTERM_ITALIC) result |= A_ITALIC;
  if (bits & CTERM_UNDERLINED) result |= A_UNDERLINE;
  if (bits & CTERM_REVERSED) result |= A_REVERSE;
  return result;
}

void cterm_put(int row, int column, const uint32_t *scalars, int count, int width,
               unsigned attributes, int pair) {
  if (!screen || count < 1) return;
  // One spacing character and its combining ones: curses cells hold no more, and joined
  // sequences have no agreed width.
  wchar_t text[CCHARW_MAX + 1] = {(wchar_t)scalars[0]};
  int length = 1;
  for (int i = 1; i < count && length < CCHARW_MAX; i++) {
    int extra = wcwidth((wchar_t)scalars[i]);
    if (extra > 0) break;
    if (extra == 0 && scalars[i] != 0x200D && scalars[i] != 0xFE0F)
      text[length++] = (wchar_t)scalars[i];
  }
  int taken = wcwidth(text[0]);
  if (taken < 1 || taken > width) {
    text[0] = 0xFFFD;
    length = 1;
    taken = 1;
  }
  text[length] = 0;

  attr_t bits = curses_attributes(attributes);
  cchar_t cell;
  setcchar(&cell, text, bits, 0, &pair);
  // A cell with pair 0 would take the window's current pair: keep that at 0.
  int none = 0;
  attr_set(A_NORMAL, 0, &none);
  mvadd_wch(row, column, &cell);
  if (taken < width) {
    setcchar(&cell, L" ", bits, 0, &pair);
    mvadd_wch(row, column + 1, &cell);
  }
}

void cterm_cursor(int row, int column, int visible) {
  if (!screen) return;
  if (row < 0) {
    leaveok(stdscr, TRUE);
    curs_set(0);
  } else {
    leaveok(stdscr, FALSE);
    curs_set(visible ? 1 : 0);
    move(row, column);
  }
}

void cterm_redraw(void) {
  if (screen) clearok(curscr, TRUE);
}

// Where two frames have equal lines in other places, curses scrolls a region of the screen, also
// with idlok off. A frame with one changed row has no such lines.
static void update_row_by_row(void) {
  int rows = getmaxy(stdscr);
  bool keeps_cursor = is_leaveok(stdscr);
  bool touched[rows > 0 ? rows : 1];
  for (int row = 0; row < rows; row++) touched[row] = is_linetouched(stdscr, row);
  untouchwin(stdscr);
  leaveok(stdscr, TRUE);
  for (int row = 0; row < rows; row++) {
    if (!touched[row]) continue;
    wtouchln(stdscr, row, 1, 1);
    wnoutrefresh(stdscr);
    doupdate();
  }
  leaveok(stdscr, keeps_cursor);
}

size_t cterm_frame(const uint8_t **bytes, int keeps_lines) {
  *bytes = frame_bytes;
  if (!screen) return 0;
  if (keeps_lines) update_row_by_row();
  wnoutrefresh(stdscr);
  doupdate();
  return drain(bytes);
}

size_t cterm_leave(const uint8_t **bytes) {
  *bytes = frame_bytes;
  if (!screen) return 0;
  endwin();
  return drain(bytes);
}

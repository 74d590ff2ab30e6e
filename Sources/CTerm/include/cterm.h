// The terminal for Swift: curses into memory, the tty, signals and the crash guard.
// Nothing of curses shows here; its macros, globals and variadic functions stay in the C files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stddef.h>
#include <stdint.h>

// MARK: Curses into memory (cterm.c)

/// Attribute bits of cterm_put.
enum {
  CTERM_BOLD = 1,
  CTERM_DIM = 2,
  CTERM_ITALIC = 4,
  CTERM_UNDERLINED = 8,
  CTERM_REVERSED = 16
};

enum {
  CTERM_OK = 0,
  /// terminfo does not know the name.
  CTERM_UNKNOWN = -1,
  /// The terminal cannot place its cursor or clear its screen.
  CTERM_TOO_SIMPLE = -2,
  /// No memory file.
  CTERM_FAILED = -3
};

/// Starts curses as the named terminal, writing to memory only.
int cterm_start(const char *term, int rows, int columns);
/// Ends the screen and frees it; its last bytes are dropped.
void cterm_discard(void);
/// Colours and colour pairs that the terminal has; 0 without colours.
int cterm_colors(void);
int cterm_pairs(void);
/// Tells curses the new size. The next frame must be a full redraw.
void cterm_resize(int rows, int columns);
/// Defines a pair; colours are palette indices or, for a direct terminal, RGB values; -1 default.
void cterm_define_pair(int pair, int foreground, int background);
/// Puts one cluster (a base and up to four combining scalars) that takes `width` columns.
void cterm_put(int row, int column, const uint32_t *scalars, int count, int width,
               unsigned attributes, int pair);
/// Where the cursor stands after the frame; row -1 for "anywhere".
void cterm_cursor(int row, int column, int visible);
/// The next frame clears the screen and sends every cell.
void cterm_redraw(void);
/// Brings the screen up to date and hands over the bytes, valid until the next call. With
/// `keeps_lines` no line is moved to another row.
size_t cterm_frame(const uint8_t **bytes, int keeps_lines);
/// Leaves full-screen mode; the next frame enters it again. Hands over the bytes.
size_t cterm_leave(const uint8_t **bytes);

// MARK: The tty (ctty.c)

/// Opens the controlling terminal anew for reading and writing, non-blocking and with a file
/// description of its own (flags are not shared with the shell); -1 if there is none.
int cterm_tty_open(void);
/// Raw mode on; the settings before are those that the guard saved.
int cterm_raw_on(int fd);
/// Rows, columns, pixel width, pixel height; 0 on success.
int cterm_window_size(int fd, int size[4]);
/// A non-blocking, close-on-exec eventfd, or -1.
int cterm_eventfd(void);

// MARK: The crash guard (cguard.c)

/// Saves the terminal's settings, sends standard error to the log, and installs the handlers.
/// `log_path` may be NULL: standard error then stays. Returns 0, or -1 with errno.
int cterm_guard_install(int fd, const char *log_path);
/// The terminal is in (1) or out of (0) full-screen mode; out restores the saved settings.
void cterm_guard_active(int active);
/// Sends the reset string and restores the settings, if the terminal is in full-screen mode.
void cterm_guard_restore(void);
/// Standard error back to where it was, handlers to their defaults.
void cterm_guard_remove(void);
/// The string that switches everything off.
const char *cterm_reset_string(void);
/// Readable when signals wait; each is one byte, the signal's number.
int cterm_signal_fd(void);
/// Stops the process group as the terminal's own Ctrl-Z would; returns after SIGCONT.
void cterm_stop_group(void);
/// Runs a program (name, arguments, NULL) in this process group and returns its wait status, or -1.
int cterm_run(char *const arguments[]);
/// Ends the process by the signal, with its default action.
void cterm_die_of(int signal_number);
/// Gives the calling thread a stack for signal handlers, so that its stack overflow is caught.
void cterm_guard_thread(void);
/// Ends the process in a certain way: segv, bus, abort, trap, fpe, sys, stack, thread, exit.
/// Returns only if the kind is unknown.
void cterm_crash(const char *kind);

// MARK: A pseudo-terminal (cpty.c)

/// Starts argv[0] in a new session on a pseudo-terminal of `size` (rows, columns, pixel width, pixel
/// height), standard error to the null device. Returns the master's descriptor, -1 with errno set.
int cterm_pty_spawn(const char *const argv[], const char *const envp[], const int size[4],
                    int *child);

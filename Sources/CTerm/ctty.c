// The tty itself: opening, raw mode, size.
// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE 1
#include "cterm.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

int cterm_tty_open(void) {
  char path[256];
  int flags = O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  if (ttyname_r(STDOUT_FILENO, path, sizeof path) == 0) {
    int fd = open(path, flags);
    if (fd >= 0) return fd;
  }
  return open("/dev/tty", flags);
}

int cterm_raw_on(int fd) {
  struct termios settings;
  if (tcgetattr(fd, &settings)) return -1;
  cfmakeraw(&settings);
  return tcsetattr(fd, TCSANOW, &settings);
}

int cterm_window_size(int fd, int size[4]) {
  struct winsize w = {0};
  if (ioctl(fd, TIOCGWINSZ, &w)) return -1;
  size[0] = w.ws_row;
  size[1] = w.ws_col;
  size[2] = w.ws_xpixel;
  size[3] = w.ws_ypixel;
  return 0;
}

int cterm_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

int cterm_run(char *const arguments[]) {
  pid_t child;
  extern char **environ;
  // The child stays in our process group: a group of its own could not read the terminal.
  if (posix_spawnp(&child, arguments[0], NULL, NULL, arguments, environ)) return -1;
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

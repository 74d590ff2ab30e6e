// A program in a pseudo-terminal of its own. SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE 1
#include "cterm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

int cterm_pty_spawn(const char *const argv[], const char *const envp[], const int size[4],
                    int *child) {
  int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0) return -1;
  char name[128];
  if (grantpt(master) || unlockpt(master) || ptsname_r(master, name, sizeof name)) {
    close(master);
    return -1;
  }
  struct winsize window = {(unsigned short)size[0], (unsigned short)size[1],
                           (unsigned short)size[2], (unsigned short)size[3]};
  ioctl(master, TIOCSWINSZ, &window);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  // The first terminal that a session leader opens becomes its own.
  posix_spawn_file_actions_addopen(&actions, 0, name, O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, 0, 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  // The caller's thread may block or ignore signals; the program starts as from a shell.
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  int status = posix_spawn(&pid, argv[0], &actions, &attributes, (char *const *)argv,
                           (char *const *)envp);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (status) {
    close(master);
    errno = status;
    return -1;
  }
  *child = pid;
  return master;
}

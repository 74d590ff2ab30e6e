// Gives the terminal back however the process ends, and turns gentle signals into pipe bytes.
// Everything a handler does is async-signal-safe.
// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE 1
#include "cterm.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

enum { STACK_BYTES = 64 * 1024, GRACE_SECONDS = 2 };

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGSYS};
// Asked to end: the loop gets the chance to save first.
static const int polite_signals[] = {SIGHUP, SIGTERM, SIGINT, SIGQUIT};
static const int loop_signals[] = {SIGTSTP, SIGCONT, SIGWINCH};

// A half-sent picture or command ends; sync, paste, mouse, focus off; kitty keyboard popped;
// charset B and SI, attributes, scroll region, autowrap, cursor keys and keypad; main screen;
// cursor.
static const char reset_string[] =
    "\033\\\033[?2026l\033[?2004l\033[?1016l\033[?1006l\033[?1003l\033[?1002l\033[?1000l"
    "\033[?1004l\033[<u\033(B\017\033[0m\033[r\033[?7h\033[?1l\033>\033[?1049l\033[?25h";

static int tty_fd = -1;
static int saved_stderr = -1;
static int signal_pipe[2] = {-1, -1};
static struct termios saved_settings;
static int have_settings;
static volatile sig_atomic_t active;
static volatile sig_atomic_t ending;
static char last_words[512];
static size_t last_words_length;

const char *cterm_reset_string(void) { return reset_string; }

static void write_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, bytes, length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    bytes += n;
    length -= (size_t)n;
  }
}

void cterm_guard_restore(void) {
  if (!__atomic_exchange_n(&active, 0, __ATOMIC_SEQ_CST)) return;
  // The description is our own: blocking now changes nothing for others.
  fcntl(tty_fd, F_SETFL, O_RDWR);
  write_all(tty_fd, reset_string, sizeof reset_string - 1);
  if (have_settings) tcsetattr(tty_fd, TCSANOW, &saved_settings);
}

static void set_handler(int number, void (*handler)(int), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigfillset(&action.sa_mask);
  sigaction(number, &action, NULL);
}

static void raise_by_default(int number) {
  set_handler(number, SIG_DFL, 0);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, number);
  // Delivered when the mask is lifted, so status and core dump are the signal's own.
  raise(number);
  pthread_sigmask(SIG_UNBLOCK, &one, NULL);
}

static const char *fatal_words(int number) {
  switch (number) {
    case SIGSEGV: return "workbench ended by SIGSEGV (memory that is not its own)\n";
    case SIGBUS: return "workbench ended by SIGBUS (memory that is not there)\n";
    case SIGILL: return "workbench ended by SIGILL (a check in the program failed)\n";
    case SIGTRAP: return "workbench ended by SIGTRAP (a check in the program failed)\n";
    case SIGABRT: return "workbench ended by SIGABRT (it gave up)\n";
    case SIGFPE: return "workbench ended by SIGFPE (arithmetic)\n";
    default: return "workbench ended by SIGSYS (a forbidden system call)\n";
  }
}

static void on_fatal(int number) {
  int was_active = active;
  // Standard error is the log while the screen is up.
  if (was_active && saved_stderr >= 0) {
    const char *words = fatal_words(number);
    write_all(STDERR_FILENO, words, strlen(words));
  }
  // What is queued may be a picture that takes seconds; the reset comes first.
  if (was_active) tcflush(tty_fd, TCOFLUSH);
  cterm_guard_restore();
  if (was_active && last_words_length > 0) {
    write_all(tty_fd, last_words, last_words_length);
  }
  raise_by_default(number);
}

static void on_polite(int number) {
  int error = errno;
  if (ending || !active) {
    cterm_guard_restore();
    raise_by_default(number);
    return;
  }
  ending = number;
  unsigned char byte = (unsigned char)number;
  if (write(signal_pipe[1], &byte, 1) != 1) {
    cterm_guard_restore();
    raise_by_default(number);
    return;
  }
  // A loop that does not answer is not waited for.
  alarm(GRACE_SECONDS);
  errno = error;
}

static void on_alarm(int number) {
  (void)number;
  if (!ending) return;
  cterm_guard_restore();
  raise_by_default(ending);
}

static void on_loop_signal(int number) {
  int error = errno;
  unsigned char byte = (unsigned char)number;
  ssize_t written = write(signal_pipe[1], &byte, 1);
  (void)written;
  errno = error;
}

void cterm_guard_thread(void) {
  void *memory = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  stack_t stack = {.ss_sp = memory, .ss_size = STACK_BYTES, .ss_flags = 0};
  sigaltstack(&stack, NULL);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int cterm_guard_install(int fd, const char *log_path) {
  tty_fd = fd;
  if (tcgetattr(fd, &saved_settings)) return -1;
  have_settings = 1;
  if (signal_pipe[0] < 0 && pipe2(signal_pipe, O_NONBLOCK | O_CLOEXEC)) return -1;
  ending = 0;
  last_words_length = 0;
  if (log_path) {
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log >= 0) {
      saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
      dup2(log, STDERR_FILENO);
      close(log);
      int n = snprintf(last_words, sizeof last_words,
                       "\r\nworkbench ended unexpectedly, details in %s\r\n", log_path);
      last_words_length = n < 0 ? 0 : (size_t)n < sizeof last_words ? (size_t)n : sizeof last_words - 1;
    }
  }
  cterm_guard_thread();
  for (size_t i = 0; i < COUNT(fatal_signals); i++)
    set_handler(fatal_signals[i], on_fatal, SA_ONSTACK | SA_RESETHAND);
  for (size_t i = 0; i < COUNT(polite_signals); i++)
    set_handler(polite_signals[i], on_polite, SA_ONSTACK | SA_RESTART);
  for (size_t i = 0; i < COUNT(loop_signals); i++)
    set_handler(loop_signals[i], on_loop_signal, SA_ONSTACK | SA_RESTART);
  set_handler(SIGALRM, on_alarm, SA_ONSTACK | SA_RESTART);
  set_handler(SIGPIPE, SIG_IGN, 0);
  static int registered;
  if (!registered) atexit(cterm_guard_restore);
  registered = 1;
  return 0;
}

void cterm_guard_active(int value) { active = value; }

void cterm_guard_remove(void) {
  cterm_guard_restore();
  for (size_t i = 0; i < COUNT(fatal_signals); i++) set_handler(fatal_signals[i], SIG_DFL, 0);
  for (size_t i = 0; i < COUNT(polite_signals); i++) set_handler(polite_signals[i], SIG_DFL, 0);
  for (size_t i = 0; i < COUNT(loop_signals); i++) set_handler(loop_signals[i], SIG_DFL, 0);
  alarm(0);
  set_handler(SIGALRM, SIG_DFL, 0);
  if (saved_stderr >= 0) {
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    saved_stderr = -1;
  }
}

int cterm_signal_fd(void) { return signal_pipe[0]; }

void cterm_stop_group(void) {
  set_handler(SIGTSTP, SIG_DFL, 0);
  kill(0, SIGTSTP);
  set_handler(SIGTSTP, on_loop_signal, SA_ONSTACK | SA_RESTART);
}

void cterm_die_of(int number) { raise_by_default(number); }

// MARK: Ways to end, for tests

static int overflow_stack(volatile int depth) {
  if (depth < 0) return 0;
  volatile char room[4096];
  room[0] = (char)depth;
  return overflow_stack(depth + 1) + room[0];
}

static void *trap_here(void *unused) {
  (void)unused;
  __builtin_trap();
}

void cterm_crash(const char *kind) {
  if (!strcmp(kind, "segv")) {
    volatile int *nowhere = (volatile int *)(uintptr_t)8;
    *nowhere = 1;
  } else if (!strcmp(kind, "bus")) {
    raise(SIGBUS);
  } else if (!strcmp(kind, "abort")) {
    abort();
  } else if (!strcmp(kind, "trap")) {
    __builtin_trap();
  } else if (!strcmp(kind, "fpe")) {
    raise(SIGFPE);
  } else if (!strcmp(kind, "sys")) {
    raise(SIGSYS);
  } else if (!strcmp(kind, "stack")) {
    overflow_stack(0);
  } else if (!strcmp(kind, "thread")) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, trap_here, NULL) == 0) pthread_join(thread, NULL);
  } else if (!strcmp(kind, "exit")) {
    exit(3);
  }
}

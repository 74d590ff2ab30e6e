// Curses into memory.
// SPDX-License-Identifier: Apache-2.0
#include "cterm.h"

#include <sys/eventfd.h>

int cterm_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

// The terminal for Swift: curses, signals and the crash guard behind plain functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A non-blocking, close-on-exec eventfd, or -1.
int cterm_eventfd(void);

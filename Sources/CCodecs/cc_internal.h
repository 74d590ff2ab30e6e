// Shared by the codecs. SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ccodecs.h"

// Copies a message into the caller's buffer, cut to its size.
void cc_fail(char *error, const char *message);

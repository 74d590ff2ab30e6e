// SPDX-License-Identifier: Apache-2.0
#include "cterm.h"
typedef int placeholder_cterm;

// SPDX-License-Identifier: Apache-2.0
#include "ccodecs.h"
typedef int placeholder_ccodecs;

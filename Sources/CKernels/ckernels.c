// SPDX-License-Identifier: Apache-2.0
#include "ckernels.h"
typedef int placeholder_ckernels;

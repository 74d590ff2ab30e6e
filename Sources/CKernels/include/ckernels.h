// The kernels behind Core's CPU device, one header per family. SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_elementwise.h"
#include "ck_memory.h"
#include "ck_optimizer.h"
#include "ck_pool.h"
#include "ck_random.h"
#include "ck_reduce.h"

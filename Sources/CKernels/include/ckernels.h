// The kernels behind Core's CPU device, one header per family. SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_attention.h"
#include "ck_convolution.h"
#include "ck_elementwise.h"
#include "ck_gather.h"
#include "ck_memory.h"
#include "ck_normalization.h"
#include "ck_optimizer.h"
#include "ck_pool.h"
#include "ck_random.h"
#include "ck_reduce.h"
#include "ck_resize.h"
#include "ck_softmax.h"

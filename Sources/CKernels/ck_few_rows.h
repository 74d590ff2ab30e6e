// Products of a few rows with a large weight. SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_pool.h"

enum { CK_FEW_ROWS = 4 };

/// y[r, j] = bias[j] + Σ_k x[r·x_row + k] · w[j·w_row + k] for 1 ... CK_FEW_ROWS rows, as fast as memory
/// delivers w. The bits are those of ck_linear with more rows: sums of `block` steps in order, added in order.
void ck_few_rows(ck_pool *pool, long rows, long n, long k, long block, const float *x, long x_row,
                 const float *w, long w_row, const float *bias, float *y);

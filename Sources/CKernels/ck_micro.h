// Small matrix products that stay in the caches: the engine under convolution and attention.
// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

#include "ck_memory.h"

/// Columns are handled in whole vectors; n is rounded up to this, whatever the instruction set.
#define CK_LANES 16
#define CK_ROUND_UP(n) (((n) + CK_LANES - 1) / CK_LANES * CK_LANES)

/// The instruction set that was chosen: 2 AVX-512, 1 AVX2, 0 the baseline.
int ck_level(void);

/// C[i·ldc + n] (+)= Σ_k A[i·rs + k·cs] · B[k·ldb + n], i < m, n < n, on the calling thread.
/// B must be readable and C writable up to CK_ROUND_UP(n) columns. The order of the sum over k is
/// the same for every column and row, so a result doesn't depend on what else is in the product.
void ck_product(long m, long n, long depth, const float *a, long rs, long cs, const float *b,
                long ldb, float *c, long ldc, int accumulate);

/// The same with row k of B at b + offsets[k]: an im2col matrix that is never written.
void ck_product_gathered(long m, long n, long depth, const float *a, long rs, long cs,
                         const float *b, const int32_t *offsets, float *c, long ldc,
                         int accumulate);

/// A buffer of at least `floats` floats (64-byte aligned, contents undefined) that belongs to the calling
/// thread and `slot` (0 ..< 8), valid until the thread asks for the same slot again. Never NULL: ends
/// the process when memory is exhausted.
float *ck_scratch(int slot, long floats);

// Matrix products on the register-tiled kernels. SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_memory.h"
#include "ck_pool.h"

/// C[i·ldc + j] = Σ_k A[i·a_row + k·a_column] · B[k·b_row + j·b_column] + (accumulate ? C : 0) for an m × n matrix.
/// A row's or column's result does not depend on m, n or the number of threads.
void ck_gemm(ck_pool *pool, long m, long n, long k, const float *a, long a_row, long a_column,
             const float *b, long b_row, long b_column, float *c, long ldc, int accumulate);

/// y[i·n + j] = bias[j] + Σ_k x[i·x_row + k·x_column] · weight[j·w_row + k·w_column]; bias may be NULL.
/// A 16-bit weight has w_column 1; its values are widened on the way to the caches. As for ck_gemm, a row's
/// result does not depend on the number of rows.
void ck_linear(ck_pool *pool, long rows, long n, long k, const float *x, long x_row, long x_column,
               const void *weight, ck_float_type type, long w_row, long w_column,
               const float *bias, float *y);

/// Whether ck_gemm has kernels for this processor that a generic BLAS lacks (AVX-512).
int ck_gemm_is_preferred(void);

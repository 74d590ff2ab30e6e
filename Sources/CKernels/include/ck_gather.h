// Rows by index, nearest rows, order of rows. SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>
#include "ck_pool.h"

/// out[i] = table[indices[i]], rows of `width`; indices are in range.
void ck_gather_rows(ck_pool *pool, const float *table, const int32_t *indices, long count,
                    long width, float *out);
/// table[indices[i]] += rows[i], in order of i.
void ck_scatter_add_rows(ck_pool *pool, const float *rows, const int32_t *indices, long count,
                         long width, float *table);
/// index[i] = argmin_v (|z_i|² + |e_v|²) − 2 z_i·e_v, the first on ties.
void ck_nearest_rows(ck_pool *pool, const float *z, const float *table, long count, long entries,
                     long width, int32_t *index);
/// Stable order of each row of `width`; NaN is last. Both directions keep equal values in order.
void ck_argsort(ck_pool *pool, const float *x, long rows, long width, int descending,
                int32_t *order);

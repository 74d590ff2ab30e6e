// Keeping the best of many scores. SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

#include "ck_pool.h"

/// Merges a block of scores [rows, columns] into every row's k best so far.
///
/// `best` [rows, k] falls from left to right and starts at −infinity; `index` [rows, k] names columns
/// from `first_column`. `bias` [columns] is added to every row unless NULL. Row r leaves out the column
/// `own_column + r` unless `own_column` is negative. Equal scores keep the lower index, if blocks come
/// in ascending order.
void ck_keep_best(ck_pool *pool, const float *scores, const float *bias, long rows, long columns,
                  long first_column, long own_column, long k, float *best, int32_t *index);

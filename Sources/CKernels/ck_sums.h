// Sums of a row in lanes: vectorised, and more exact than one running sum.
// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_math.h"

enum { CK_SUM_LANES = 32, CK_SUM_BLOCK = 4096 };

/// Σ expression(i) for i in 0 ..< n: lanes in f32 within a block, blocks in f64.
#define CK_SUM(result, n, expression)                                                            \
    do {                                                                                         \
        double total_ = 0;                                                                       \
        long n_ = (n);                                                                           \
        for (long start_ = 0; start_ < n_; start_ += CK_SUM_BLOCK) {                             \
            long stop_ = start_ + CK_SUM_BLOCK < n_ ? start_ + CK_SUM_BLOCK : n_;                \
            float lanes_[CK_SUM_LANES] = {0};                                                    \
            long at_ = start_;                                                                   \
            for (; at_ + CK_SUM_LANES <= stop_; at_ += CK_SUM_LANES)                             \
                for (int k_ = 0; k_ < CK_SUM_LANES; k_++) {                                      \
                    long i = at_ + k_;                                                           \
                    lanes_[k_] += (expression);                                                  \
                }                                                                                \
            float rest_ = 0;                                                                     \
            for (; at_ < stop_; at_++) {                                                         \
                long i = at_;                                                                    \
                rest_ += (expression);                                                           \
            }                                                                                    \
            for (int width_ = CK_SUM_LANES / 2; width_ > 0; width_ /= 2)                         \
                for (int k_ = 0; k_ < width_; k_++) lanes_[k_] += lanes_[k_ + width_];           \
            total_ += (double)lanes_[0] + rest_;                                                 \
        }                                                                                        \
        (result) = total_;                                                                       \
    } while (0)

// Sums of a row by vectors: fast, and more exact than one running sum.
// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_math.h"

enum { CK_SUM_BLOCK = 4096 };

/// Σ expression(i) for i in 0 ..< n: f32 within a block, blocks in f64.
///
/// Within a block the compiler may add in any order, so it keeps as many partial sums as its vectors
/// have lanes (64 with AVX-512). The order is fixed for a build and a processor's instruction set.
#define CK_SUM(result, n, expression)                                                            \
    do {                                                                                         \
        _Pragma("clang fp reassociate(on)") double total_ = 0;                                   \
        long n_ = (n);                                                                           \
        for (long start_ = 0; start_ < n_; start_ += CK_SUM_BLOCK) {                             \
            long stop_ = start_ + CK_SUM_BLOCK < n_ ? start_ + CK_SUM_BLOCK : n_;                \
            float sum_ = 0;                                                                      \
            for (long i = start_; i < stop_; i++) sum_ += (expression);                          \
            total_ += (double)sum_;                                                              \
        }                                                                                        \
        (result) = total_;                                                                       \
    } while (0)

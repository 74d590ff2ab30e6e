// Function tables of the opened libraries. SPDX-License-Identifier: Apache-2.0
#ifndef CCUDA_INTERNAL_H
#define CCUDA_INTERNAL_H

#include "ccuda.h"

// A symbol of an open library, NULL if it lacks it or is not open.
void *ccuda_symbol(ccuda_library library, const char *name);

// Defines a cached function pointer and returns CCUDA_ABSENT from the caller when it is missing.
#define CCUDA_REQUIRE(library, symbol, type, ...)                                                  \
    typedef type (*symbol##_function)(__VA_ARGS__);                                                \
    static symbol##_function symbol;                                                               \
    if (!symbol) *(void **)(&symbol) = ccuda_symbol(library, #symbol);                             \
    if (!symbol) return CCUDA_ABSENT

#endif

// Includes the file CK_TEMPLATE once for every level of ck_level(), its functions named by NAME(x), and
// defines CALL(x, …), which calls the one for this machine. No include guard: a file's own template.
// SPDX-License-Identifier: Apache-2.0

#define NAME(x) baseline_##x
#include CK_TEMPLATE
#undef NAME
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define NAME(x) v3_##x
#include CK_TEMPLATE
#undef NAME
#pragma clang attribute pop
// As in ck_micro.c: vectors of sixteen are cut in two unless they are asked for.
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"), min_vector_width(512))), apply_to = function)
#define NAME(x) v4_##x
#include CK_TEMPLATE
#undef NAME
#pragma clang attribute pop
#define CALL(x, ...)                                                                         \
    (ck_level() == 2 ? v4_##x(__VA_ARGS__)                                                   \
                     : ck_level() == 1 ? v3_##x(__VA_ARGS__) : baseline_##x(__VA_ARGS__))
#else
#define CALL(x, ...) baseline_##x(__VA_ARGS__)
#endif

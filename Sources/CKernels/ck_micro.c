// Register-tiled products, chosen by instruction set at run time, and scratch memory of a thread.
// SPDX-License-Identifier: Apache-2.0
#include "ck_micro.h"

#if defined(__linux__)
#include <malloc.h>
#endif
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "ck_math.h"

typedef void (*product_function)(long, long, long, const float *, long, long, const float *, long,
                                 const int32_t *, float *, long, int);

// 16 registers: 4 × 3 sums, three columns and a weight.
#define VL 4
#define MR 4
#define NV 3
#define NAME(x) baseline_##x
#include "ck_micro_template.h"
#undef VL
#undef MR
#undef NV
#undef NAME

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define VL 8
#define MR 4
#define NV 3
#define NAME(x) v3_##x
#include "ck_micro_template.h"
#undef VL
#undef MR
#undef NV
#undef NAME
#pragma clang attribute pop

// 32 registers: 8 × 3 sums; channel counts are multiples of 8.
// Clang keeps to 256 bits for this level unless it is told that wider vectors are meant.
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"), min_vector_width(512))), apply_to = function)
#define VL 16
#define MR 8
#define NV 3
#define NAME(x) v4_##x
#include "ck_micro_template.h"
#undef VL
#undef MR
#undef NV
#undef NAME
#pragma clang attribute pop
#endif

static product_function chosen;
static int level;
static pthread_once_t choose_once = PTHREAD_ONCE_INIT;

static void choose(void) {
    chosen = baseline_product;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4")) {
        chosen = v4_product;
        level = 2;
    } else if (__builtin_cpu_supports("x86-64-v3")) {
        chosen = v3_product;
        level = 1;
    }
#endif
}

int ck_level(void) {
    pthread_once(&choose_once, choose);
    return level;
}

void ck_product(long m, long n, long depth, const float *a, long rs, long cs, const float *b,
                long ldb, float *c, long ldc, int accumulate) {
    pthread_once(&choose_once, choose);
    chosen(m, n, depth, a, rs, cs, b, ldb, NULL, c, ldc, accumulate);
}

void ck_product_gathered(long m, long n, long depth, const float *a, long rs, long cs,
                         const float *b, const int32_t *offsets, float *c, long ldc,
                         int accumulate) {
    pthread_once(&choose_once, choose);
    chosen(m, n, depth, a, rs, cs, b, 0, offsets, c, ldc, accumulate);
}

// MARK: Scratch

enum { SLOTS = 8 };
typedef struct {
    float *data[SLOTS];
    long floats[SLOTS];
} scratch;

static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;

static void free_scratch(void *raw) {
    scratch *own = raw;
    for (int i = 0; i < SLOTS; i++) free(own->data[i]);
    free(own);
}
static void make_scratch_key(void) { pthread_key_create(&scratch_key, free_scratch); }

void ck_trim_memory(void) {
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}

void *ck_allocate(long bytes) {
    enum { HUGE_PAGE = 2 << 20 };
    size_t alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : 64;
    size_t size = ((size_t)bytes + alignment) / alignment * alignment;
    void *data = aligned_alloc(alignment, size);
#if defined(MADV_HUGEPAGE)
    // Large buffers are walked at large strides: with small pages each step would miss the TLB.
    if (data && alignment == HUGE_PAGE) madvise(data, size, MADV_HUGEPAGE);
#endif
    if (!data) {
        // Half-way through an operator there is no way back to a caller that could do without.
        fprintf(stderr, "workbench: out of memory: %ld bytes of working memory\n", bytes);
        abort();
    }
    return data;
}

float *ck_scratch(int slot, long floats) {
    pthread_once(&scratch_once, make_scratch_key);
    scratch *own = pthread_getspecific(scratch_key);
    if (!own) {
        own = ck_allocate(sizeof *own);
        *own = (scratch){0};
        pthread_setspecific(scratch_key, own);
    }
    if (own->floats[slot] < floats) {
        free(own->data[slot]);
        own->data[slot] = ck_allocate(floats * (long)sizeof(float));
        own->floats[slot] = floats;
    }
    return own->data[slot];
}

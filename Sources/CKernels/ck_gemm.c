// Matrix products. The operand with fewer rows or columns is packed once so that its index runs
// along vectors; the other is read where it lies, one scalar at a time, so that large weights are
// never copied.
// SPDX-License-Identifier: Apache-2.0
#include "ck_gemm.h"

#include <stdlib.h>
#include <string.h>

#include "ck_few_rows.h"
#include "ck_math.h"
#include "ck_micro.h"
#include "ck_transpose.h"
#include "ck_widen.h"

enum {
    TILE = 48,           // vectors of the widest register tile; each tile is packed by itself
    VECTOR_BLOCK = 192,  // four tiles
    SCALAR_BLOCK = 64,
    DEPTH_BLOCK = 512,
    PANEL = 8            // rows of the widest register tile
};
enum { SCALARS = 0, SUMS = 1, PACKED = 2 };  // scratch slots
/// Packed operands up to this size are kept between calls, in floats (64 MB).
enum { KEPT_FLOATS = 16 << 20 };

typedef struct {
    long vectors, scalars, depth;  // extents
    const void *v, *s;             // operands: v is packed, s is broadcast
    ck_float_type v_type, s_type;  // 16-bit operands have steps of 1 along the sum
    long v_step, v_depth;          // strides of v along vectors and along the sum
    long s_step, s_depth;
    float *c;
    long c_vector, c_scalar;       // strides of C; one of them is 1
    float *packed;                 // [tile][depth][width]
    const float *bias;             // one value a column of C, or NULL
    long blocks, chunks, chunk;
    int accumulate;
} gemm_job;

static long at_most(long value, long limit) { return value < limit ? value : limit; }

static long tile_width(const gemm_job *job, long at) {
    return at_most(CK_ROUND_UP(job->vectors - at), TILE);
}

CK_KERNEL static void pack_dense(const float *v, long v_depth, long count, long width, long depth,
                                 float *out) {
    for (long k = 0; k < depth; k++) {
        const float *row = v + k * v_depth;
        float *to = out + k * width;
        for (long i = 0; i < count; i++) to[i] = row[i];
        for (long i = count; i < width; i++) to[i] = 0;
    }
}

// v[i·step + k] → out[k·width + i], 16 × 16 at a time.
CK_KERNEL static void pack_transposed(const float *v, long step, long count, long width, long depth,
                                      float *out) {
    for (long i = 0; i < width; i += 16) {
        long rows = count - i < 16 ? (count - i > 0 ? count - i : 0) : 16;
        long k = 0;
        if (rows == 16)
            for (; k + 16 <= depth; k += 16)
                ck_transpose16(v + i * step + k, step, out + k * width + i, width);
        for (; k < depth; k++)
            for (long r = 0; r < 16; r++)
                out[k * width + i + r] = r < rows ? v[(i + r) * step + k] : 0;
    }
}

CK_KERNEL static void widen(const uint16_t *from, ck_float_type type, long step, long rows,
                            long count, float *out, long pitch) {
    ck_widen_rows(from, type, step, rows, count, out, pitch);
}

// Where element (i, k) of an operand lies.
static const void *element(const void *base, ck_float_type type, long offset) {
    return (const char *)base + offset * (type == CK_FLOAT32 ? 4 : 2);
}

// A task is 64 steps of the sum of one tile.
static void pack_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const gemm_job *job = raw;
    long parts = (job->depth + 63) / 64;
    for (long task = begin; task < end; task++) {
        long first = task / parts * TILE, k = task % parts * 64;
        long depth = at_most(job->depth - k, 64);
        long width = tile_width(job, first), count = at_most(job->vectors - first, width);
        const float *v =
            element(job->v, job->v_type, first * job->v_step + k * job->v_depth);
        float *out = job->packed + first * job->depth + k * width;
        if (job->v_type != CK_FLOAT32) {
            float rows[TILE * 64];
            widen((const uint16_t *)v, job->v_type, job->v_step, count, depth, rows, 64);
            pack_transposed(rows, 64, count, width, depth, out);
        } else if (job->v_step == 1) pack_dense(v, job->v_depth, count, width, depth, out);
        else if (job->v_depth == 1) pack_transposed(v, job->v_step, count, width, depth, out);
        else
            for (long t = 0; t < depth; t++)
                for (long i = 0; i < width; i++)
                    out[t * width + i] =
                        i < count ? v[i * job->v_step + t * job->v_depth] : 0;
    }
}

// sums [scalars][width] → C, vectors along columns of C.
CK_KERNEL static void store_transposed(const float *sums, long width, long vectors, long scalars,
                                       float *c, long c_vector) {
    for (long v0 = 0; v0 < vectors; v0 += 16) {
        long stop = at_most(v0 + 16, vectors), s = 0;
        if (stop == v0 + 16)
            for (; s + 16 <= scalars; s += 16)
                ck_transpose16(sums + s * width + v0, width, c + v0 * c_vector + s, c_vector);
        for (long v = v0; v < stop; v++)
            for (long r = s; r < scalars; r++) c[v * c_vector + r] = sums[r * width + v];
    }
}

CK_KERNEL static void store_rows(const float *sums, long width, long vectors, long scalars, float *c,
                                 long c_scalar) {
    for (long s = 0; s < scalars; s++)
        for (long v = 0; v < vectors; v++) c[s * c_scalar + v] = sums[s * width + v];
}

CK_KERNEL static void load_sums(float *sums, long width, long vectors, long scalars,
                                const float *c, long c_vector, long c_scalar) {
    for (long s = 0; s < scalars; s++) {
        for (long v = 0; v < vectors; v++)
            sums[s * width + v] = c[v * c_vector + s * c_scalar];
        for (long v = vectors; v < width; v++) sums[s * width + v] = 0;
    }
}

// Starts every sum with the bias of its column of C.
CK_KERNEL static void start_with_bias(float *sums, long ldc, long width, long vectors, long scalars,
                                      const float *bias, int along_vectors) {
    for (long s = 0; s < scalars; s++) {
        float *row = sums + s * ldc;
        if (along_vectors) {
            for (long v = 0; v < vectors; v++) row[v] = bias[v];
            for (long v = vectors; v < width; v++) row[v] = 0;
        } else {
            for (long v = 0; v < width; v++) row[v] = bias[s];
        }
    }
}

CK_KERNEL static void pack_scalars(const float *s, long step, long depth_stride, long count,
                                   long depth, float *out) {
    // Panels of 8 rows, the sum's steps in order: the product reads them front to back.
    if (step == 1 && count % 8 == 0) {
        for (long k = 0; k < depth; k++)
            for (long i = 0; i < count; i += 8)
                for (long r = 0; r < 8; r++)
                    out[i * depth + k * 8 + r] = s[k * depth_stride + i + r];
        return;
    }
    for (long i = 0; i < count; i += 8)
        for (long k = 0; k < depth; k++)
            for (long r = 0; r < 8; r++)
                out[i * depth + k * 8 + r] =
                    i + r < count ? s[(i + r) * step + k * depth_stride] : 0;
}

// Lines of the next panel's rows are asked for while a tile is computed: a weight read for the first
// time comes from memory, in short pieces that the processor doesn't foresee.
typedef struct {
    const char *rows;
    long step, count, bytes;
} lines;

static void prefetch_part(lines next, long part, long parts) {
    long all = (next.bytes + 63) / 64, begin = all * part / parts, end = all * (part + 1) / parts;
    for (long r = 0; r < next.count; r++)
        for (long line = begin; line < end; line++)
            __builtin_prefetch(next.rows + r * next.step + line * 64, 0, 2);
}

// Rows of the broadcast operand for some steps of the sum, where the product can read them.
typedef struct {
    const float *rows;
    long step, depth_step;
} panel;

// Rows first + i.. of the job's scalars: where they lie, packed before, or widened now.
static panel panel_of(const gemm_job *job, const float *packed, long i, long row, long rows, long k,
                      long depth) {
    if (packed) return (panel){packed + i * depth, 1, PANEL};
    const void *s = element(job->s, job->s_type, row * job->s_step + k);
    if (job->s_type == CK_FLOAT32) return (panel){s, job->s_step, 1};
    float *wide = ck_scratch(SCALARS, SCALAR_BLOCK * DEPTH_BLOCK);
    widen(s, job->s_type, job->s_step, rows, depth, wide, DEPTH_BLOCK);
    return (panel){wide, DEPTH_BLOCK, 1};
}

// The rows that are read after rows i.. at step k of a chunk: the next panel, the first one of the next
// steps, or the first one of the next chunk.
static lines lines_after(const gemm_job *job, long first, long scalars, long i, long k) {
    if (job->s_depth != 1) return (lines){0};
    long row = first + i + PANEL, at = k;
    if (i + PANEL >= scalars) {
        row = first, at = k + DEPTH_BLOCK;
        if (at >= job->depth) row = first + scalars, at = 0;
    }
    long size = job->s_type == CK_FLOAT32 ? 4 : 2;
    return (lines){.rows = element(job->s, job->s_type, row * job->s_step + at),
                   .step = job->s_step * size,
                   .count = at_most(job->scalars - row, PANEL),
                   .bytes = at_most(job->depth - at, DEPTH_BLOCK) * size};
}

// One panel of scalars against all tiles of a block; the rows after it are on their way meanwhile.
static void panel_product(const gemm_job *job, panel p, long rows, lines next, long at, long width,
                          long k, long depth, float *sums, long ldc, int accumulate) {
    long tiles = (width + TILE - 1) / TILE;
    for (long tile = 0; tile < tiles; tile++) {
        long first = at + tile * TILE, columns = tile_width(job, first);
        prefetch_part(next, tile, tiles);
        ck_product(rows, columns, depth, p.rows, p.step, p.depth_step,
                   job->packed + first * job->depth + k * columns, columns, sums + tile * TILE, ldc,
                   accumulate);
    }
}

static void product_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const gemm_job *job = raw;
    for (long task = begin; task < end; task++) {
        long first = task / job->blocks * job->chunk, at = task % job->blocks * VECTOR_BLOCK;
        long scalars = at_most(job->scalars - first, job->chunk);
        long width = at_most(CK_ROUND_UP(job->vectors - at), VECTOR_BLOCK);
        long vectors = at_most(job->vectors - at, width);
        float *c = job->c + at * job->c_vector + first * job->c_scalar;
        int by_rows = job->c_vector == 1, direct = by_rows && vectors == width;
        float *sums = direct ? c : ck_scratch(SUMS, job->chunk * VECTOR_BLOCK);
        long ldc = direct ? job->c_scalar : width;
        if (job->bias)
            start_with_bias(sums, ldc, width, vectors, scalars, job->bias + (by_rows ? at : first),
                            by_rows);
        else if (!direct && job->accumulate)
            load_sums(sums, width, vectors, scalars, c, job->c_vector, job->c_scalar);
        int started = job->accumulate || job->bias;
        for (long k = 0; k < job->depth; k += DEPTH_BLOCK) {
            long depth = at_most(job->depth - k, DEPTH_BLOCK);
            int accumulate = started || k > 0;
            float *packed = NULL;
            if (job->s_depth != 1) {
                packed = ck_scratch(SCALARS, SCALAR_BLOCK * DEPTH_BLOCK);
                pack_scalars((const float *)job->s + first * job->s_step + k * job->s_depth,
                             job->s_step, job->s_depth, scalars, depth, packed);
            }
            for (long i = 0; i < scalars; i += PANEL) {
                long rows = at_most(scalars - i, PANEL);
                panel p = panel_of(job, packed, i, first + i, rows, k, depth);
                panel_product(job, p, rows, lines_after(job, first, scalars, i, k), at, width, k,
                              depth, sums + i * ldc, ldc, accumulate);
            }
        }
        if (direct) continue;
        if (by_rows) store_rows(sums, width, vectors, scalars, c, job->c_scalar);
        else store_transposed(sums, width, vectors, scalars, c, job->c_vector);
    }
}

static void run(ck_pool *pool, gemm_job *job) {
    job->blocks = (job->vectors + VECTOR_BLOCK - 1) / VECTOR_BLOCK;
    // Chunks small enough that every worker gets several.
    long threads = pool ? ck_pool_threads(pool) : 1;
    job->chunk = SCALAR_BLOCK;
    while (job->chunk > 16 &&
           job->blocks * ((job->scalars + job->chunk - 1) / job->chunk) < 4 * threads)
        job->chunk /= 2;
    job->chunks = (job->scalars + job->chunk - 1) / job->chunk;
    if ((double)job->vectors * (double)job->scalars * (double)job->depth < 1.5e6) pool = NULL;
    // Fresh memory costs more than the packing itself: every page of it is cleared first.
    long floats = CK_ROUND_UP(job->vectors) * job->depth;
    int is_kept = floats <= KEPT_FLOATS;
    job->packed =
        is_kept ? ck_scratch(PACKED, floats) : ck_allocate(floats * (long)sizeof(float));
    long tiles = (job->vectors + TILE - 1) / TILE;
    ck_parallel_for(pool, tiles * ((job->depth + 63) / 64), 4, pack_body, job);
    ck_parallel_for(pool, job->blocks * job->chunks, 1, product_body, job);
    if (!is_kept) free(job->packed);
}

static void orient(gemm_job *job, long m, long n, const float *a, long a_row, long a_column,
                   const void *b, ck_float_type b_type, long b_row, long b_column, long ldc) {
    if (n <= m) {
        job->vectors = n, job->v = b, job->v_step = b_column, job->v_depth = b_row;
        job->v_type = b_type;
        job->scalars = m, job->s = a, job->s_step = a_row, job->s_depth = a_column;
        job->c_vector = 1, job->c_scalar = ldc;
    } else {
        job->vectors = m, job->v = a, job->v_step = a_row, job->v_depth = a_column;
        job->scalars = n, job->s = b, job->s_step = b_column, job->s_depth = b_row;
        job->s_type = b_type;
        job->c_vector = ldc, job->c_scalar = 1;
    }
}

void ck_gemm(ck_pool *pool, long m, long n, long k, const float *a, long a_row, long a_column,
             const float *b, long b_row, long b_column, float *c, long ldc, int accumulate) {
    if (m == 0 || n == 0) return;
    if (k == 0) {
        if (!accumulate)
            for (long i = 0; i < m; i++) memset(c + i * ldc, 0, sizeof(float) * (size_t)n);
        return;
    }
    gemm_job job = {.depth = k, .c = c, .accumulate = accumulate};
    orient(&job, m, n, a, a_row, a_column, b, CK_FLOAT32, b_row, b_column, ldc);
    run(pool, &job);
}

void ck_linear(ck_pool *pool, long rows, long n, long k, const float *x, long x_row, long x_column,
               const void *weight, ck_float_type type, long w_row, long w_column,
               const float *bias, float *y) {
    if (rows == 0 || n == 0) return;
    if (rows <= CK_FEW_ROWS && n > rows && k > 0 && type == CK_FLOAT32 && x_column == 1 &&
        w_column == 1) {
        ck_few_rows(pool, rows, n, k, DEPTH_BLOCK, x, x_row, weight, w_row, bias, y);
        return;
    }
    gemm_job job = {.depth = k, .c = y, .bias = bias};
    orient(&job, rows, n, x, x_row, x_column, weight, type, w_column, w_row, n);
    run(pool, &job);
}

int ck_gemm_is_preferred(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("x86-64-v4") != 0;
#else
    return 0;
#endif
}

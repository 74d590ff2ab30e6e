// Transforms of the gradient to the weights, for one instruction set; ck_winograd_gradient.c includes
// this once for each. Before inclusion: NAME(x). SPDX-License-Identifier: Apache-2.0

// Rows become columns: lanes whose number has the bit `width` are exchanged between rows that differ in it.
CK_INLINE void NAME(transpose)(ck_lanes16 r[16]) {
#define EXCHANGE(WIDTH, FIRST, SECOND)                                                          \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < 16; i++) if (!(i & WIDTH)) {         \
        ck_lanes16 a = r[i], b = r[i + WIDTH];                                                  \
        r[i] = __builtin_shufflevector(a, b, FIRST);                                            \
        r[i + WIDTH] = __builtin_shufflevector(a, b, SECOND);                                   \
    }
#define LIST(...) __VA_ARGS__
    EXCHANGE(1, LIST(0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
             LIST(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
    EXCHANGE(2, LIST(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
             LIST(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
    EXCHANGE(4, LIST(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
             LIST(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
    EXCHANGE(8, LIST(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
             LIST(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
#undef EXCHANGE
#undef LIST
}

// inputs[point][channel][tile] to turned[point][tile][padded]: channels become the vectors.
static void NAME(turn_inputs)(const gradient_job *job, const float *inputs, long tiles,
                              float *turned) {
    long channels = job->shape->channels;
    for (long point = 0; point < POINTS; point++, inputs += channels * tiles + CK_LANES,
              turned += tiles * job->padded + CK_LANES)
        for (long c = 0; c < job->padded; c += 16)
            for (long t = 0; t < tiles; t += 16) {
                ck_lanes16 block[16];
                for (long i = 0; i < 16; i++)
                    block[i] = c + i < channels
                                   ? *(const ck_vector16 *)(inputs + (c + i) * tiles + t)
                                   : (ck_lanes16){0};
                NAME(transpose)(block);
                for (long i = 0; i < 16; i++)
                    *(ck_vector16 *)(turned + (t + i) * job->padded + c) = block[i];
            }
}

// A row of a quad; zeros outside the picture.
CK_INLINE void NAME(quad_row)(const ck_convolution *s, const float *plane, long row, long column,
                              ck_lanes16 *out) {
    long count = row < s->out_height ? ck_min(QUAD, s->out_width - column) : 0;
    const float *from = plane + row * s->out_width + column;
    if (count == QUAD) {
        *out = *(const ck_vector16 *)from;
        return;
    }
    float pixels[QUAD] = {0};
    for (long j = 0; j < count; j++) pixels[j] = from[j];
    *out = *(const ck_vector16 *)pixels;
}

// Gradients of outputs to to[point][output][tile]; repeated quads are zeros.
static void NAME(transform_gradients)(const gradient_job *job, const float *dy,
                                      const ck_winograd_block *block, long outputs, float *to) {
    const ck_convolution *s = job->shape;
    long stride = outputs * block->tiles + CK_LANES;
    for (long o = 0; o < outputs; o++, dy += s->out_height * s->out_width, to += block->tiles)
        for (long q = 0; q * TILE < block->tiles; q += 4) {
            ck_lanes16 rows[4][6];
#pragma clang loop unroll(full)
            for (int r = 0; r < 4; r++) {
                ck_lanes16 quads[4] = {{0}}, d[4];
                for (int i = 0; i < 4 && q + i < block->stored; i++)
                    NAME(quad_row)(s, dy, block->row[q + i] + r, block->column[q + i], quads + i);
                ck_deal_tiles(quads, d);
                ck_gradient_points(d, rows[r]);
            }
#pragma clang loop unroll(full)
            for (int j = 0; j < 6; j++) {
                ck_lanes16 d[4], m[6];
                for (int r = 0; r < 4; r++) d[r] = rows[r][j];
                ck_gradient_points(d, m);
                for (int i = 0; i < 6; i++)
                    *(ck_vector16 *)(to + q * TILE + (i * 6 + j) * stride) = m[i];
            }
        }
}

// The slabs' sums of one output, in their order, back to its kernels.
static void NAME(gather_kernels)(const gradient_job *job, long output, float *dw) {
    long channels = job->shape->channels;
    const float *sums = job->partial + output * job->padded;
    for (long c = 0; c < channels; c += 16) {
        ck_lanes16 rows[6][3], g[3];
        for (int i = 0; i < 6; i++) {
            ck_lanes16 u[6];
            for (int j = 0; j < 6; j++) {
                const float *from = sums + (i * 6 + j) * job->point + c;
                u[j] = *(const ck_vector16 *)from;
                for (long slab = 1; slab < job->slabs; slab++)
                    u[j] += *(const ck_vector16 *)(from + slab * POINTS * job->point);
            }
            ck_kernel_taps(u, rows[i]);
        }
        float taps[9][16];
        for (int v = 0; v < 3; v++) {
            ck_lanes16 u[6];
            for (int i = 0; i < 6; i++) u[i] = rows[i][v];
            ck_kernel_taps(u, g);
            for (int i = 0; i < 3; i++) *(ck_vector16 *)taps[i * 3 + v] = g[i];
        }
        for (long k = 0; k < ck_min(16, channels - c); k++)
            for (int t = 0; t < 9; t++) dw[(c + k) * 9 + t] = taps[t][k];
    }
}

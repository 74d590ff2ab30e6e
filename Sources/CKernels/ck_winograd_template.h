// The transforms over a block of tiles, for one instruction set; ck_winograd.c includes this once for each.
// Before inclusion: NAME(x). SPDX-License-Identifier: Apache-2.0

// Weights of one part to to[point][panel][channel][8]; outputs beyond the last are zeros.
static void NAME(transform_weights)(const winograd_job *job, long part, float *to) {
    static const float nothing[9];
    const ck_kernel_weights *weights = &job->weights;
    long channels = job->shape->channels, stride = weight_floats(job);
    for (long p = 0; p < job->width; p += PANEL, to += PANEL * channels) {
        long first = part * job->width + p;
        long outputs = ck_max(ck_min(PANEL, job->shape->outputs - first), 0);
        for (long c = 0; c < channels; c += 2) {
            // Two channels of eight outputs fill a vector.
            const float *rows[PANEL];
            for (long o = 0; o < PANEL; o++) {
                const float *row = weights->w + (first + o) * weights->output + c * weights->input;
                rows[o] = o < outputs ? row : nothing;
                // Rows lie pages apart.
                if (o < outputs) __builtin_prefetch(row + 16 * weights->input);
            }
            ck_lanes8 a[9], b[9] = {{0}};
            ck_lanes16 taps[9];
            ck_load_kernels(rows, a);
            if (c + 1 < channels) {
                for (long o = 0; o < outputs; o++) rows[o] += weights->input;
                ck_load_kernels(rows, b);
            }
            for (int t = 0; t < 9; t++)
                taps[weights->turned ? 8 - t : t] = __builtin_shufflevector(
                    a[t], b[t], 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            ck_transform_weights(taps, to + c * PANEL, stride, c + 1 == channels);
        }
    }
}

// One row of pixels on its way in: as it is, doubled, or normalised and activated.
CK_INLINE void NAME(copy_pixels)(const ck_convolution_fusion *fusion, long plane, const float *row,
                                 long column, long n, float *to) {
    if (fusion->upsampled) ck_double_row(to, row, column, n);
    else if (fusion->scale)
        ck_activate_row(to, row + column, n, fusion->scale[plane], fusion->shift[plane]);
    else ck_copy_row(to, row + column, n, 0);
}

// Copies the pixels under a block's tiles with their zeros: quads beside one another share a run of
// six rows.
static void NAME(copy_rows)(const winograd_job *job, long plane, quad_block *block, float *rows) {
    const ck_convolution *s = job->shape;
    long half = job->fusion.upsampled, row_floats = s->width >> half;
    const float *x = job->x + plane * (s->height >> half) * row_floats;
    long ahead = 2 * (s->height >> half) * row_floats;
    for (long q = 0; q < block->count;) {
        long n = 1;
        while (q + n < block->count && block->row[q + n] == block->row[q] &&
               block->column[q + n] == block->column[q] + n * QUAD)
            n++;
        long width = n * QUAD + 2, pitch = n * QUAD + QUAD;
        long column = block->column[q] - s->left, first = block->row[q] - s->top;
        long begin = ck_min(ck_max(-column, 0), width);
        long end = ck_max(ck_min(width, s->width - column), begin);
        for (long i = 0; i < n; i++) {
            block->source[q + i] = rows + i * QUAD;
            block->pitch[q + i] = pitch;
        }
        for (long r = first; r < first + TILE + 2; r++, rows += pitch) {
            const float *row = x + (r >> half) * row_floats;
            long stop = r < 0 || r >= s->height ? begin : end;
            // Planes lie pages apart, beyond the reach of the hardware's prefetch.
            for (long j = begin; j < stop; j += 16)
                __builtin_prefetch(row + ahead + ((column + j) >> half));
            for (long j = 0; j < begin; j++) rows[j] = 0;
            if (stop > begin)
                NAME(copy_pixels)(&job->fusion, plane, row, column + begin, stop - begin,
                                  rows + begin);
            for (long j = stop; j < pitch; j++) rows[j] = 0;
        }
        q += n;
    }
}

// Inputs of the channels first ..< last to inputs[point][channel][tile].
static void NAME(transform_block)(const winograd_job *job, long image, long first, long last,
                                  quad_block *block, float *rows, float *inputs) {
    long channels = job->shape->channels, tiles = block->count * TILE;
    for (long c = first; c < last; c++) {
        NAME(copy_rows)(job, image * channels + c, block, rows);
        for (long q = 0; q < block->count; q += 4)
            ck_transform_inputs(block->source + q, block->pitch + q, inputs + c * tiles + q * TILE,
                                input_floats(job, tiles));
    }
}

// From the sums of a part to pixels.
static void NAME(store_block)(const winograd_job *job, long image, long part,
                              const quad_block *block, const float *sums) {
    const ck_convolution *s = job->shape;
    long tiles = block->count * TILE, stride = sum_floats(job, tiles);
    long plane = s->out_height * s->out_width;
    long first = part * job->width, last = ck_min(first + job->width, s->outputs);
    for (long o = first; o < last; o++, sums += tiles)
        for (long q = 0; q < block->stored; q += 4) {
            float pixels[4][TILE][QUAD];
            ck_transform_outputs(sums + q * TILE, stride, job->bias ? job->bias[o] : 0, pixels);
            for (long i = 0; i < ck_min(4, block->stored - q); i++) {
                long rows = ck_min(TILE, s->out_height - block->row[q + i]);
                long columns = ck_min(QUAD, s->out_width - block->column[q + i]);
                long at = (image * s->outputs + o) * plane + block->row[q + i] * s->out_width +
                          block->column[q + i];
                for (long r = 0; r < rows; r++, at += s->out_width) {
                    float *to = job->y + at, *from = pixels[i][r];
                    const float *residual = job->fusion.residual;
                    __builtin_prefetch(to + plane, 1);
                    if (residual) {
                        residual += at;
                        __builtin_prefetch(residual + plane);
                        if (columns == QUAD)
                            *(ck_vector16 *)from += *(const ck_vector16 *)residual;
                        else for (long j = 0; j < columns; j++) from[j] += residual[j];
                    }
                    if (columns == QUAD) *(ck_vector16 *)to = *(ck_vector16 *)from;
                    else for (long j = 0; j < columns; j++) to[j] = from[j];
                }
            }
        }
}

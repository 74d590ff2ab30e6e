// Rotation of square pictures about their centre. SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ck_pool.h"

/// y[b] = x[b] read at u·position, bilinear, zeros outside. x, y [batch, channels, side, side]; u [batch, 2] is the
/// cosine and sine; positive angles turn counter-clockwise on screen.
void ck_rotate_forward(ck_pool *pool, const float *x, const float *u, long batch, long channels,
                       long side, float *y);
/// dx as x (may be NULL) and du [batch, 2], overwritten.
void ck_rotate_backward(ck_pool *pool, const float *x, const float *u, const float *dy, long batch,
                        long channels, long side, float *dx, float *du);

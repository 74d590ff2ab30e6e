// Rows by index, nearest rows, sorting on CUDA. SPDX-License-Identifier: Apache-2.0

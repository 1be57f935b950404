// SPDX-License-Identifier: GPL-2.0-only
/*
 * A provider of reports for the real configfs-tsm, for tests: reports of 1,184 bytes that have the
 * privilege level and the input where AMD's have them, and five bytes beside them.
 * /sys/module/provider/parameters/error is the errno by which the next requests fail.
 */
#include <linux/module.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/tsm.h>

#define SIZE 1184
#define LEVEL 0x30
#define REPORT_DATA 0x50

static int error;
module_param(error, int, 0600);
static int empty;
module_param(empty, int, 0600);

static int make_report(struct tsm_report *report, void *data)
{
	u8 *out, *aux;

	if (error)
		return -error;
	out = kvzalloc(SIZE, GFP_KERNEL);
	aux = kvmemdup("CERTS", 5, GFP_KERNEL);
	if (!out || !aux) {
		kvfree(out);
		kvfree(aux);
		return -ENOMEM;
	}
	out[LEVEL] = report->desc.privlevel;
	memcpy(out + REPORT_DATA, report->desc.inblob, report->desc.inblob_len);
	report->outblob = out;
	report->outblob_len = empty ? 0 : SIZE;
	report->auxblob = aux;
	report->auxblob_len = 5;
	return 0;
}

static bool is_visible(int attribute)
{
	return attribute <= TSM_REPORT_PRIVLEVEL_FLOOR;
}

static bool is_binary_visible(int attribute)
{
	return attribute != TSM_REPORT_MANIFESTBLOB;
}

static struct tsm_ops provider_ops = {
	.name = "sev_guest",
	.report_new = make_report,
	.report_attr_visible = is_visible,
	.report_bin_attr_visible = is_binary_visible,
};

static int __init provider_init(void)
{
	return tsm_register(&provider_ops, NULL);
}
module_init(provider_init);

static void __exit provider_exit(void)
{
	tsm_unregister(&provider_ops);
}
module_exit(provider_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("configfs-tsm provider for tests");
